import { type Html, html } from "../html.ts";
import type { PageFact } from "../result/report.ts";

/**
 * Renders how the result was made: the networks, the data, the policy, the seed, and the command lines to
 * repeat it.
 */
export function renderMethod(facts: readonly PageFact[], commands: readonly string[]): Html {
  const list = facts.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`);
  return html`<section aria-labelledby="method"><h2 id="method">How it was measured</h2><dl>${list}</dl></section>
${renderCommands(commands)}`;
}

function renderCommands(commands: readonly string[]): Html | undefined {
  if (commands.length === 0) return undefined;
  const text = commands.join("\n");
  return html`<section aria-labelledby="again"><h2 id="again">Make it again</h2><pre tabindex="0"><code>${text}</code></pre></section>`;
}
