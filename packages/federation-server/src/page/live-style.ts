/** Style of the live page, in the colours of the reports. */
export const LIVE_STYLE = `
:root { color-scheme: light dark; --back: #ffffff; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --blue: #1f6feb; --orange: #bc4c00; --green: #1a7f37; --red: #cf222e; --panel: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --back: #171b1f; --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --blue: #6cb6ff; --orange: #f0883e; --green: #57ab5a; --red: #f47067; --panel: #1f252b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
header, main { max-width: 75rem; margin: 0 auto; padding: 1rem 1.25rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; padding-top: 0; }
#curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.25rem; }
section { min-width: 0; border: 1px solid var(--line); border-radius: 8px; padding: 1rem; background: var(--panel); }
h1 { font-size: 1.5rem; margin: 0.5rem 0; } h2 { font-size: 1.05rem; margin: 0 0 0.75rem; }
p { margin: 0.4rem 0; }
.badge { border: 1px solid currentColor; border-radius: 1rem; padding: 0.1rem 0.7rem; font-weight: 600; color: var(--blue); }
.badge[data-status=finished] { color: var(--green); } .badge[data-status=failed] { color: var(--red); }
#bar { height: 8px; border-radius: 4px; background: var(--line); overflow: hidden; } #bar div { height: 100%; width: 0; background: var(--blue); }
.alert { color: var(--red); font-weight: 600; }
.scroll { overflow: auto; max-height: 26rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { white-space: nowrap; color: var(--soft); font-weight: 600; position: sticky; top: 0; background: var(--panel); } .n { text-align: right; } .n, .w { white-space: nowrap; } .n + :not(.n) { padding-left: 1.4rem; }
.gone { color: var(--soft); } code { font-family: ui-monospace, monospace; font-size: 0.9em; }
figure { margin: 0; max-width: 28rem; } figcaption { color: var(--soft); font-size: 0.9rem; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; } .grid { stroke: var(--line); }
.curve { fill: none; stroke-width: 2; } .loss { stroke: var(--orange); fill: var(--orange); } .accuracy { stroke: var(--blue); fill: var(--blue); } .curve.loss, .curve.accuracy { fill: none; }
.bar { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr 5rem; gap: 0.6rem; align-items: center; } .bar i { display: block; height: 0.8rem; min-width: 1px; background: var(--orange); border-radius: 2px; } .bar i.falls { background: var(--blue); }
`;
