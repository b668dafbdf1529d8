"""What marketing calls qualified: signals, versioned models with rules, and each lead's score."""

from scoring.models.calibration import CalibrationRun
from scoring.models.lifecycle import Pilot, ScoringPolicy, VersionEvent
from scoring.models.scores import LeadScore, ReleaseItem, Rescoring, RescoringChunk, ScoreCheck
from scoring.models.signals import Signal, SignalCondition, SignalHit
from scoring.models.trials import Backtest, LeadPrediction, PredictionModel
from scoring.models.versions import CategoryTier, DecayStep, ModelVersion, Rule, RuleGroup

__all__ = [
    "Backtest",
    "CalibrationRun",
    "CategoryTier",
    "DecayStep",
    "LeadPrediction",
    "LeadScore",
    "ModelVersion",
    "Pilot",
    "PredictionModel",
    "ReleaseItem",
    "Rescoring",
    "RescoringChunk",
    "Rule",
    "RuleGroup",
    "ScoreCheck",
    "ScoringPolicy",
    "Signal",
    "SignalCondition",
    "SignalHit",
    "VersionEvent",
]
