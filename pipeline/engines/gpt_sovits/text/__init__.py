"""Text → phonemes, as the checkpoints were trained on them."""
