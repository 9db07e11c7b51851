import type { DrawableBarrier } from "../barrier-curve.ts";
import { formatCount } from "../format-value.ts";
import { type Html, html } from "../html.ts";
import type { BarrierPage } from "./barrier-page.ts";

interface Fact {
  readonly name: string;
  readonly value: string;
}

/** How the measurement was made: the networks, the data, the policy, the command lines. */
export function renderMethod(page: BarrierPage): Html {
  const facts = [...sharedFacts(page), ...(page.facts ?? [])];
  const list = facts.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`);
  return html`<section aria-labelledby="method"><h2 id="method">How it was measured</h2><dl>${list}</dl></section>
${renderCommands(page.commands ?? [])}`;
}

function renderCommands(commands: readonly string[]): Html | undefined {
  if (commands.length === 0) return undefined;
  const text = commands.join("\n");
  return html`<section aria-labelledby="again"><h2 id="again">Measure it again</h2><pre tabindex="0"><code>${text}</code></pre></section>`;
}

const FACTS: readonly { readonly name: string; readonly of: (result: DrawableBarrier) => string }[] = [
  { name: "Network A", of: ({ a }) => a },
  { name: "Network B", of: ({ b }) => b },
  { name: "Data", of: ({ data, examples }) => `${data}, ${formatCount(examples)} examples at every point` },
  { name: "Path", of: ({ path, points }) => `${path}, ${points.length} points` },
  { name: "Statistics of activations", of: ({ statistics }) => statistics },
  { name: "Engine", of: ({ engine }) => engine },
];

/** A fact is said once where all curves agree, else for each curve. */
function sharedFacts({ curves }: BarrierPage): Fact[] {
  return FACTS.flatMap(({ name, of }) => {
    const values = curves.map(({ result }) => of(result));
    const [first] = values;
    if (first !== undefined && values.every((value) => value === first)) return [{ name, value: first }];
    return curves.map(({ label, result }) => ({ name: `${name} (${label})`, value: of(result) }));
  });
}
