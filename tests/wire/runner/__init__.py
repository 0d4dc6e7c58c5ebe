"""The parts of run.py: script (the file), play (the steps), client (HTTP that hides nothing), match, bridge."""
