"""Whether files and functions are small. The numbers are those that the best code bases of this kind reach.

A function that is clearer in one piece may say so inside: /* #lizard forgives: the reason */
"""
from statistics import median

import lizard

from source import Finding, c_files

FILE_LINES = 600
FUNCTION_LINES = 80
MAIN_LINES = 60
COMPLEXITY = 15
PARAMETERS = 5
LINE_COLUMNS = 120

MEDIAN_FILE_LINES = 230
MEDIAN_FUNCTION_LINES = 14
SHORT_FUNCTION_LINES = 40
SHORT_FUNCTIONS_PERCENT = 90

CODE = ("bridge", "src")


def line_count(root, path):
    return len((root / path).read_text().splitlines())


def functions_of(root, path):
    return lizard.analyze_file(str(root / path)).function_list


def check_files(root):
    for path in c_files(root, *CODE, "examples", "tests"):
        count = line_count(root, path)
        if count > FILE_LINES:
            yield Finding(path, 0, f"{count} lines; at most {FILE_LINES}")
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            if len(line) > LINE_COLUMNS:
                yield Finding(path, number, f"{len(line)} columns; at most {LINE_COLUMNS}")


def check_functions(root):
    for path in c_files(root, *CODE, "examples"):
        for function in functions_of(root, path):
            most_lines = MAIN_LINES if function.name == "main" else FUNCTION_LINES
            for what, count, most in (("lines", function.length, most_lines),
                                      ("independent paths", function.cyclomatic_complexity, COMPLEXITY),
                                      ("parameters", function.parameter_count, PARAMETERS)):
                if count > most:
                    yield Finding(path, function.start_line, f"{function.name}() has {count} {what}; at most {most}")


def measure(root):
    """(what, value, whether it is good enough)"""
    sources = [path for path in c_files(root, *CODE) if path.suffix == ".c"]
    if not sources:
        return
    lines = [line_count(root, path) for path in sources]
    lengths = [function.length for path in sources for function in functions_of(root, path)] or [0]
    short = 100 * sum(length <= SHORT_FUNCTION_LINES for length in lengths) / len(lengths)
    yield f"lines of the median file (at most {MEDIAN_FILE_LINES})", median(lines), median(lines) <= MEDIAN_FILE_LINES
    yield (f"lines of the median function (at most {MEDIAN_FUNCTION_LINES})", median(lengths),
           median(lengths) <= MEDIAN_FUNCTION_LINES)
    yield (f"% of the functions with {SHORT_FUNCTION_LINES} lines or fewer (at least {SHORT_FUNCTIONS_PERCENT})",
           round(short, 1), short >= SHORT_FUNCTIONS_PERCENT)


def check_measures(root):
    for what, value, is_good in measure(root):
        if not is_good:
            yield Finding("bridge and src", 0, f"{value} {what}")


def describe(root):
    return [f"{value} {what}" for what, value, _ in measure(root)]
