"""What happens to versions: drafts, approval, pilots, publishing, re-scoring, release."""
