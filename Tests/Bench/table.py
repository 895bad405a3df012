# SPDX-License-Identifier: Apache-2.0
"""The lines that a run prints: a figure, its limit and whether it holds."""


def report(name, figure, limit="", verdict="", details=""):
    print(f"{name:<34} {figure:>10}  {limit:<10} {verdict:<7} {details}".rstrip(), flush=True)


def judge(name, value, unit, details, at_least=None, at_most=None, below=None):
    limit, holds = next(
        (f"{sign} {bound:g} {unit}", holds)
        for sign, bound, holds in (
            (">=", at_least, at_least is not None and value >= at_least),
            ("<=", at_most, at_most is not None and value <= at_most),
            ("<", below, below is not None and value < below))
        if bound is not None)
    report(name, f"{value:.2f} {unit}", limit, "ok" if holds else "MISSED", details)


def spread(values):
    return f"{min(values):.2f} to {max(values):.2f}"
