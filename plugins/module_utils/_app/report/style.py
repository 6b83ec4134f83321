# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The style of a report: light and dark, on a screen and on paper, and never by colour alone."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f6f7f9; --text: #1c2128; --soft: #535c68; --line: #d5dae1; --link: #0b57b7;
  --good: #1a7f37; --bad: #c0202b; --busy: #0b63c5; --still: #7a5400; --none: #656e7a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181d; --panel: #1d2329; --text: #e7ebf0; --soft: #a9b3bf; --line: #38414b; --link: #7fb6ff;
    --good: #56c271; --bad: #ff8079; --busy: #6fb1ff; --still: #e0b04c; --none: #97a1ad;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 84rem; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 3rem;
  background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; }
p { margin: .5rem 0; }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
.verdict { border: 2px solid currentColor; border-radius: 2rem; padding: .1rem .9rem; font-weight: 650; }
.message, .warning { border-left: .3rem solid var(--bad); background: var(--panel); padding: .5rem .9rem; }
.message, .warning, dd { overflow-wrap: anywhere; }
.warning { border-color: var(--still); }
dl.facts { display: flex; flex-wrap: wrap; gap: .6rem 3rem; margin: 1rem 0 0; }
dl.facts div { min-width: 0; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }
.still { color: var(--still); } .none { color: var(--none); }
.state { white-space: nowrap; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); background: var(--ground); }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
tbody + tbody th[scope=rowgroup] { border-top: 1px solid var(--line); }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.small { color: var(--soft); font-size: .82rem; font-weight: 400; }
.gates td:nth-of-type(3) { min-width: 16rem; overflow-wrap: anywhere; }
.gates tbody th[scope=row] { min-width: 11rem; }
.gates ul { list-style: none; margin: 0; padding: 0; min-width: 11rem; }
pre {
  margin: .4rem 0 0; padding: .5rem .7rem; background: var(--panel); border: 1px solid var(--line);
  border-radius: .3rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .8rem/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace;
}
summary { cursor: pointer; color: var(--soft); margin-top: .3rem; }
.times { table-layout: fixed; }
.times th, .times td { padding-top: .2rem; padding-bottom: .2rem; }
.times thead th { position: sticky; top: 0; z-index: 1; vertical-align: bottom; }
.times .job { width: 27%; } .times .status { width: 7.5rem; } .times .number { width: 6rem; }
.times tbody th[scope=rowgroup] { background: var(--panel); padding-top: .45rem; padding-bottom: .45rem; }
.times tbody th[scope=row] { font-weight: 400; }
.times td.lane, .times th.lane { padding-left: .25rem; padding-right: 1rem; }
.old th[scope=row] { color: var(--soft); }
.axis, .track { position: relative; display: block; }
.axis { height: 1.3rem; }
.axis span { position: absolute; white-space: nowrap; transform: translateX(-50%); font-size: .75rem;
  font-weight: 400; }
.axis span.first { transform: none; } .axis span.last { transform: translateX(-100%); }
.track { height: 1.1rem; }
.track i { position: absolute; display: block; min-width: 3px; }
.queue {
  top: .4rem; height: .3rem;
  background: repeating-linear-gradient(90deg, var(--soft) 0 3px, transparent 3px 6px);
}
.run { top: .12rem; height: .86rem; border-radius: 2px; background: currentColor; }
.run.bad { background: repeating-linear-gradient(45deg, currentColor 0 4px, var(--ground) 4px 6px); border: 1px solid; }
.run.still, .run.none { background: transparent; border: 2px solid; }
.run.busy { border-right: 3px dotted var(--ground); }
.cut { top: -.2rem; bottom: -.2rem; background: var(--panel); border: dashed var(--line); border-width: 0 1px; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; list-style: none; padding: 0; margin: .25rem 0 .75rem; }
.legend .track { display: inline-block; width: 2.2rem; vertical-align: -.25rem; margin-right: .4rem; background: none; }
.legend .track i { left: 0; width: 100%; }
.tree ul { list-style: none; margin: 0; padding-left: 1.4rem; }
.tree > ul { padding-left: 0; }
.tree li { position: relative; padding: .25rem 0; overflow-wrap: anywhere; }
.tree ul ul > li::before {
  content: ""; position: absolute; left: -1rem; top: 0; width: .75rem; height: 1rem;
  border: solid var(--line); border-width: 0 0 2px 2px; border-bottom-left-radius: .3rem;
}
footer { margin-top: 2.5rem; color: var(--soft); font-size: .82rem; }
/* only where it has to be: a container that scrolls keeps the head of its table from staying in sight */
@media (max-width: 56rem) { .lanes { overflow-x: auto; } .times { min-width: 54rem; } }
@media print {
  :root {
    --ground: #fff; --panel: #f4f4f4; --text: #000; --soft: #333; --line: #bbb; --link: #000;
    --good: #14602a; --bad: #a01822; --busy: #084b95; --still: #5e4100; --none: #444;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 9pt; }
  .times thead th { position: static; }
  .scroll, .lanes { overflow: visible; }
  .times { min-width: 0; } .times .number { width: 5rem; } .times .status { width: 6rem; }
  .times tr, li { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
