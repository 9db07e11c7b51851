/** Style sheet of a map to walk on, after the style sheet of its page. */
export const WALK_STYLE = `
.walking svg{font-size:13px;fill:var(--isthmus-text);display:block;width:100%;overflow:visible}
.walking .stage{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:1.5rem;align-items:start}
.walking fieldset{border:0;padding:0;margin:0 0 .8rem;display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;align-items:center}
.walking fieldset legend{float:left;padding:0;font-weight:600}
.walking :is(select,button,input){font:inherit;color:inherit;accent-color:var(--isthmus-curve-1)}
.walking :is(select,button){background:var(--isthmus-background);border:1px solid var(--isthmus-muted);border-radius:.35rem;padding:.25rem .5rem;max-width:100%}
.walking input[type=range]{width:100%;margin:.6rem 0 0}
.walking .map{border:1px solid var(--isthmus-grid);border-radius:.5rem;overflow:hidden}
.walking .ends{display:grid;gap:.5rem;margin-bottom:.8rem}.walking .ends label{display:grid;grid-template-columns:3.2rem minmax(0,1fr);align-items:center}
.walking :is(.way path,.mean path,.curve,.rule,.branch){fill:none}
.walking .hit{fill:none!important;stroke:transparent;stroke-width:16;pointer-events:all}
.walking .halo{stroke:var(--isthmus-muted)}
.walking :is(th,td){padding:.3rem .45rem;font-size:.85rem;white-space:normal}.walking :is(th,td):first-child{text-align:left;overflow-wrap:anywhere}
.walking .on .halo{stroke:var(--isthmus-text)}
.walking [role=button]{cursor:pointer;outline:0}
.walking .way{stroke-linecap:round}
.walking .dot{fill:var(--isthmus-curve-1);stroke:#fff;stroke-width:2}
.walking .star .dot{fill:var(--isthmus-curve-0)}
.walking .far .dot{fill:var(--isthmus-background);stroke:var(--isthmus-curve-1);stroke-width:2.5}
.walking .far.star .dot{stroke:var(--isthmus-curve-0)}
.walking .point.on .dot{stroke:var(--isthmus-text);stroke-width:3.5}
.walking .count{fill:#fff;dominant-baseline:central;font-size:11px;font-weight:700;text-anchor:middle;pointer-events:none}
.walking .far .count{fill:var(--isthmus-text)}
.walking .label{paint-order:stroke;stroke:var(--isthmus-background);stroke-width:4px;stroke-linejoin:round;dominant-baseline:central}
.walking .point.on .label{font-weight:700}
.walking .label.hidden{visibility:hidden}.walking :is(:hover,:focus)>.label.hidden{visibility:visible}
.walking .mean path{stroke:var(--isthmus-text);stroke-width:2.5}
.walking .mark path{fill:none;stroke:#fff;stroke-width:1.8}.walking .mark .halo{stroke:#14181c;stroke-width:4.5}.walking .minimum path{fill:#fff}
.walking .walker{fill:none;stroke:var(--isthmus-text);stroke-width:3;pointer-events:none;paint-order:stroke}
.walking .rule{stroke:var(--isthmus-grid)}.walking .curve{stroke-width:2}
.walking .branch{stroke:var(--isthmus-muted);stroke-width:2}
.walking :is(.join:hover,.join:focus,.join.on) .branch{stroke:var(--isthmus-curve-0);stroke-width:3.5}
.walking :is(.way,.point):focus-visible :is(.halo,.dot){stroke:var(--isthmus-curve-0);stroke-width:5}
.walking .dim{opacity:.25}
.walking .status{min-height:3em;margin:0}.walking .here{font-weight:600;margin:.3rem 0 .8rem}
.walking .note{color:var(--isthmus-muted);font-size:.9rem}
.walking .legends{display:flex;flex-wrap:wrap;gap:.3rem 2rem;margin:.8rem 0}.walking .bands{width:auto;max-width:100%;font-size:12px}
.walking .key{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.9rem}.walking .key svg{display:inline-block;width:12px;margin-right:.4rem}
.walking .panel pre{margin-top:.8rem;max-height:12rem}.walking h3{margin:1.5rem 0 .3rem;font-size:1.05rem}
@media (max-width:46rem){.walking .stage{grid-template-columns:minmax(0,1fr)}}
@media print{.walking :is(fieldset,select,input,button){display:none}}`;
