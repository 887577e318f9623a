"""The second stage: semantic tokens, phonemes and a speaker → waveform, as a conditional VITS does.

Kim et al., "Conditional Variational Autoencoder with Adversarial Learning for End-to-End
Text-to-Speech" (2021), with a vector-quantized input and a text-aware encoder; upstream calls it
SoVITS. Modules know nothing of upstream's names: `weights` translates them.
"""
