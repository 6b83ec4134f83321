# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The style of a report: light and dark, for screen and print, and never by color alone."""

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
  background: var(--ground); color: var(--text); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, input:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
h4 { font-size: 1rem; margin: 0; }
p { margin: .5rem 0; }
ul, ol { list-style: none; margin: 0; padding: 0; }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
.verdict { border: 2px solid currentColor; border-radius: 2rem; padding: .1rem .9rem; font-weight: 650; }
.message, .warning { border-left: .3rem solid var(--bad); background: var(--panel); padding: .5rem .9rem; }
.warning { border-color: var(--still); }
nav { margin: .5rem 0; }
nav li { padding: .1rem 0; }
dl.facts { display: flex; flex-wrap: wrap; gap: .6rem 3rem; margin: 1rem 0 0; }
dl.facts div { min-width: 0; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }
.still { color: var(--still); } .none { color: var(--none); }
.state { font-weight: 600; }
.small { color: var(--soft); font-size: .82rem; font-weight: 400; }
.heard { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.only { display: inline-block; margin-top: 1.25rem; }
input.only { width: 1.1rem; height: 1.1rem; vertical-align: -.15rem; accent-color: var(--link); }
.only:checked ~ main .quiet { display: none; }
pre {
  margin: .4rem 0 0; padding: .5rem .7rem; background: var(--panel); border: 1px solid var(--line); color: var(--text);
  border-radius: .3rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .8rem/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace;
}
summary { cursor: pointer; color: var(--soft); font-size: .82rem; margin-top: .3rem; }
.gate { border-top: 1px solid var(--line); border-left: .3rem solid; padding: .5rem 0 .5rem .75rem; }
.gate h4, .gate .what, .gate:target h4 { color: var(--text); }
.gate:target { background: var(--panel); }
.gate p { margin: .25rem 0; }
.jobs li { padding: .1rem 0; }
.times .head { position: sticky; top: 0; z-index: 1; background: var(--ground); padding-top: .25rem; }
.times .head p { margin: 0; }
.group > h3 { background: var(--panel); padding: .35rem .5rem; margin-bottom: 0; }
.lane { border-bottom: 1px solid var(--line); padding: .3rem 0; }
.lane .small { display: inline-block; }
.axis, .track { position: relative; display: block; }
.axis { height: 1.3rem; overflow: hidden; }
.axis span { position: absolute; white-space: nowrap; padding-left: .2rem; font-size: .75rem; }
.track { height: 1.1rem; margin-top: .15rem; }
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
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: .25rem 0 .75rem; }
.legend .track { display: inline-block; width: 2.2rem; vertical-align: -.25rem; margin: 0 .4rem 0 0; background: none; }
.legend .track i { left: 0; width: 100%; }
.tree ul ul { padding-left: clamp(.6rem, 3vw, 1.4rem); }
/* more indentation would leave no space for text */
.tree ul ul ul ul ul ul { padding-left: 0; }
.tree li { padding: .25rem 0; }
.tree ul ul > li { border-left: 2px solid var(--line); padding-left: .6rem; }
.stages {
  display: grid; gap: .4rem; margin: .4rem 0; font-size: .9rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr));
}
.tree .stages > li {
  background: var(--panel); border: 1px solid var(--line); border-radius: .3rem; padding: .35rem .6rem;
}
.tree .stages ul { padding: 0; }
.tree .stages ul > li { border: 0; padding: .1rem 0; }
.stage { color: var(--soft); font-size: .8rem; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .82rem; }
@media (min-width: 56rem) {
  .gate { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 3fr) minmax(0, 1fr); gap: 0 1rem; }
  .gate h4 .state { display: block; }
  .gate .facts-of-gate { margin: 0; }
  .times .head, .lane {
    display: grid; gap: 0 .75rem; padding-left: .5rem;
    grid-template-columns: minmax(0, 5fr) minmax(0, 2fr) minmax(0, 4fr) minmax(0, 12fr);
  }
  .times .head p { grid-column: 1 / 4; }
  .lane .track { margin: 0; }
  .lane details { grid-column: 1 / -1; }
}
/* there is space for half of the labels */
@media (max-width: 56rem) { .axis span:nth-child(even) { display: none; } }
@media print {
  :root {
    --ground: #fff; --panel: #f4f4f4; --text: #000; --soft: #333; --line: #bbb; --link: #000;
    --good: #14602a; --bad: #a01822; --busy: #084b95; --still: #5e4100; --none: #444;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  html { font-size: 9pt; }
  body { max-width: none; padding: 0; }
  .only { display: none; }
  .times .head { position: static; }
  .lane, .jobs li, .stages ul > li { break-inside: avoid; }
  h2, h3, .gate h4, .stage { break-after: avoid; }
}
"""
