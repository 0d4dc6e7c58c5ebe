"""Whether the faults that the simulation plants still fit bridge/: one that does not shows nothing any more."""
import importlib.util
from pathlib import Path

from source import Finding

FAULTS = "tests/simulation/faults.py"


def load(path):
    """Under a name of its own: this folder has a faults.py, too."""
    spec = importlib.util.spec_from_file_location("simulation_faults", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MISFITS = load(Path(__file__).resolve().parents[2] / FAULTS).misfits


def check(root):
    lines = (root / FAULTS).read_text(encoding="utf-8").split("\n")
    for name, what in MISFITS(load(root / FAULTS).FAULTS, root):
        number = next((number for number, line in enumerate(lines, 1) if f'"{name}"' in line), 0)
        yield Finding(FAULTS, number, f"{name}: {what}")
