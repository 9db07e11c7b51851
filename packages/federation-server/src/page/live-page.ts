import { LIVE_SCRIPT } from "./live-script.ts";
import { LIVE_STYLE } from "./live-style.ts";

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/**
 * Renders the live page of a federation: one document that loads no other files, shows the summary at once,
 * and follows the server's events.
 * @param summary - initial content of the page, as plain data
 */
export function renderLivePage(name: string, summary: object): string {
  const title = name.replace(/[&<>"]/g, (character) => ENTITIES[character] as string);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title} · federation</title>
<style>${LIVE_STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p><span id="status" class="badge">connecting</span> <span id="progress"></span></p>
<div id="bar" role="progressbar" aria-label="Rounds that are finished" aria-valuemin="0"><div></div></div>
<p id="open"></p>
<p id="privacy" hidden></p>
<p id="warning" class="alert" role="alert" hidden></p>
<p id="lost" class="alert" role="alert" hidden>The connection to the server is lost; trying again.</p>
</header>
<main>
<section aria-labelledby="curves-title">
<h2 id="curves-title">Global network</h2>
<div id="curves"></div>
</section>
<section aria-labelledby="clients-title">
<h2 id="clients-title">Clients</h2>
<div class="scroll"><table id="clients"><thead><tr><th>Client</th><th>Now</th><th class="n">Rounds</th><th class="n">Examples</th><th class="n">Loss</th><th class="n">Refused</th></tr></thead><tbody></tbody></table></div>
</section>
<section aria-labelledby="rounds-title">
<h2 id="rounds-title">Rounds</h2>
<div class="scroll"><table id="rounds"><thead><tr><th class="n">Round</th><th class="n">Updates</th><th class="n">Examples</th><th class="n">Seconds</th><th class="n">Loss</th><th class="n">Accuracy</th><th>Network</th></tr></thead><tbody></tbody></table></div>
</section>
<section aria-labelledby="barriers-title" id="barriers-section" hidden>
<h2 id="barriers-title">Barrier by layer between clients</h2>
<div id="barriers"></div>
</section>
<section aria-labelledby="refused-title">
<h2 id="refused-title">Refused updates</h2>
<p id="refusals"></p>
<div class="scroll"><table id="refused"><thead><tr><th>Client</th><th class="n">Round</th><th>Reason</th><th class="w">When</th></tr></thead><tbody></tbody></table></div>
</section>
</main>
<script type="application/json" id="first">${embed(summary)}</script>
<script>${LIVE_SCRIPT}</script>
</body>
</html>
`;
}

/** Writes data as JSON that cannot end the element of the page it stands in. */
function embed(data: object): string {
  return JSON.stringify(data).replace(/</g, "\\u003c");
}
