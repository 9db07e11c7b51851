import { FIGURE_TEXT_STYLE } from "../figure/axes.ts";
import { CURVE_STYLES, pagePaletteCss } from "../figure/palette.ts";

const swatches = Array.from(
  { length: CURVE_STYLES },
  (_, index) => `.curve-${index}{--curve:var(--isthmus-curve-${index})}`,
).join("");

/** Style of the text of figures, which the library would put into an attribute of each figure. */
const { color, fontSize, overflow } = FIGURE_TEXT_STYLE;
const letters = `.isthmus-figure{color:${color};font-size:${fontSize};overflow:${overflow}}`;

/**
 * Opposite ends of a scrollable frame; at the top no shade is needed, as the head of a table stays visible.
 */
const OPPOSITE = { left: "right", right: "left", bottom: "top" } as const;

/**
 * Returns backgrounds that shade the ends of a table while more of it lies beyond the frame; covers that
 * scroll with the table hide the shades at its own ends.
 */
function scrollHints(...ends: readonly (keyof typeof OPPOSITE)[]): string {
  const layer = (depth: string, color: string, moves: "local" | "scroll") =>
    ends.map((end) => {
      const size = end === "bottom" ? `100% ${depth}` : `${depth} 100%`;
      return `linear-gradient(to ${OPPOSITE[end]},${color},transparent) ${end}/${size} no-repeat ${moves}`;
    });
  const covers = layer("2.5rem", "var(--isthmus-background) 40%", "local");
  const shades = layer("1.1rem", "var(--isthmus-shade)", "scroll");
  return `background:${[...covers, ...shades].join(",")};background-color:var(--isthmus-background)`;
}

/** Style sheet of a report page; wide figures are replaced by compact ones on narrow screens. */
export const PAGE_STYLE: string = `${pagePaletteCss()}${swatches}${letters}
*{box-sizing:border-box}
html{background:var(--isthmus-background);color:var(--isthmus-text);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:68rem;padding:clamp(1.25rem,4vw,3.5rem) clamp(1rem,4vw,2.5rem);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
h1,h2{font-weight:650;line-height:1.2;text-wrap:balance;letter-spacing:-.015em}
h1{font-size:clamp(1.7rem,1.2rem + 2.4vw,2.6rem);margin:.2rem 0 .6rem}
h2{font-size:1.35rem;margin:0 0 .9rem}
p{margin:0 0 .8rem;max-width:44rem;text-wrap:pretty}
section{margin-top:2.75rem}
.eyebrow{color:var(--isthmus-muted);font-size:.82rem;letter-spacing:.06em;text-transform:uppercase;margin:0}
.lead{font-size:1.15rem;max-width:54rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:1rem;
list-style:none;margin:1.75rem 0 0;padding:0}
.tile{border:1px solid var(--isthmus-grid);border-top:3px solid var(--curve,var(--isthmus-muted));border-radius:.5rem;padding:.85rem 1.1rem 1rem}
.tile .name{font-weight:600}
.tile .value{display:block;font-size:2.1rem;font-weight:600;line-height:1.2;letter-spacing:-.02em}
.tile .unit,.tile .more{color:var(--isthmus-muted);font-size:.9rem}
.tile .more{display:block;margin-top:.2rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:2.25rem 2rem}
.figures .hero{grid-column:1/-1}
.figures .half{max-width:38rem}
figure{margin:0;min-width:0;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}figure text{white-space:pre}
figure .compact{display:none}
figcaption{color:var(--isthmus-muted);font-size:.9rem;margin-top:.6rem;max-width:44rem}
figcaption b{color:var(--isthmus-text);font-weight:600}
.scroll+.scroll,.figures+*,details+*,.scroll+details{margin-top:1.75rem}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--isthmus-background);padding:.5rem .9rem;z-index:2}
#theme{float:right;font:inherit;font-size:.82rem;color:var(--isthmus-muted);background:none;cursor:pointer;margin:-.3rem 0 0 1rem}
main:focus{outline:0}
summary{cursor:pointer;padding:.4rem 0;font-weight:600}
.scroll{overflow:auto;border:1px solid var(--isthmus-grid);border-radius:.5rem}
.tall{max-height:26rem}
.scroll{${scrollHints("left", "right")}}.tall{${scrollHints("left", "right", "bottom")}}
.wide table{font-size:.8rem}.wide :is(th,td){padding:.42rem .4rem}.wide :is(th,td):first-child{padding-left:.9rem}.wide th button::after{margin-left:.15em}
.scroll:focus-visible,a:focus-visible,button:focus-visible,summary:focus-visible,pre:focus-visible{outline:2px solid var(--isthmus-curve-1);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem}
.scroll{container-type:inline-size}
caption{text-align:left;color:var(--isthmus-muted);padding:.7rem .9rem;font-size:.9rem}
caption small{display:block;margin-top:.2rem}
caption span{display:block;position:sticky;left:.9rem;max-width:calc(100cqi - 1.8rem)}
th,td{padding:.42rem .9rem;text-align:right;white-space:nowrap}
thead{position:sticky;top:0;background:var(--isthmus-background);box-shadow:inset 0 -1px var(--isthmus-grid)}
thead th{font-weight:600;white-space:normal;vertical-align:bottom}thead .long{min-width:8rem}thead th[scope=colgroup]{text-align:left}thead th:first-child{text-align:left}
th small{color:var(--isthmus-muted);font-weight:400}
.text{text-align:left}td.text{white-space:normal}
th button{all:unset;cursor:pointer;font-weight:600}
th button:hover{text-decoration:underline}
th button::after{content:"↕";color:var(--isthmus-muted);font-size:.8em;margin-left:.35em;font-weight:400}
[aria-sort=ascending] button::after{content:"↑"}[aria-sort=descending] button::after{content:"↓"}
[aria-sort] button::after{color:inherit}
tbody th{text-align:left;font-weight:400}
tbody th.wrap{white-space:normal;min-width:13rem}
tbody th small{display:block;color:var(--isthmus-muted);font-size:.85em}
tbody tr+tr>*{border-top:1px solid var(--isthmus-grid)}
tbody tr.peak>*{font-weight:600}
.swatch{display:inline-block;width:.62em;height:.62em;border-radius:50%;background:var(--curve);margin-right:.45em}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.35rem 1.5rem;margin:0}
dt{color:var(--isthmus-muted)}
dd{margin:0;overflow-wrap:anywhere}
pre{margin:0;padding:.8rem 1rem;overflow:auto;border:1px solid var(--isthmus-grid);border-radius:.5rem;
font:.88rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
pre span{display:inline-block;max-width:100%}
.notes{padding-left:1.2rem;max-width:44rem;margin:0}
.notes li+li{margin-top:.3rem}
a{color:var(--isthmus-curve-1);text-underline-offset:.2em}
.button{display:inline-block;border:1px solid currentColor;border-radius:.4rem;padding:.4rem .9rem;text-decoration:none;font-weight:600}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--isthmus-grid);color:var(--isthmus-muted);font-size:.88rem}
@media (max-width:46rem){figure .full{display:none}figure .compact{display:block;max-width:27rem}}
@media (max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd+dt{margin-top:.6rem}th,td{padding:.4rem .6rem}}
@media print{@page{margin:14mm}table{font-size:8.5pt}th,td{padding:.2rem .35rem;white-space:normal}thead .long{min-width:0}td{overflow-wrap:anywhere}.figures{grid-template-columns:1fr 1fr;gap:1rem}body{max-width:none;padding:0;font-size:10.5pt}section{margin-top:1.6rem}
.tall{max-height:none}.scroll{overflow:visible;border:0;background:none!important}caption small{display:none}figure .full{display:block}figure .compact{display:none}thead{position:static}tr,.tile{break-inside:avoid}
.button,.skip{display:none}th button::after{content:""}h2{break-after:avoid}}
@media (forced-colors:active){.swatch{forced-color-adjust:none}}`;
