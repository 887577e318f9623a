"""One timeline → cues → SRT, VTT, ASS and JSON files."""
