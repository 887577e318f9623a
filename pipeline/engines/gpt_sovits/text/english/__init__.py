"""English text → ARPAbet, as the checkpoints were trained on it."""
