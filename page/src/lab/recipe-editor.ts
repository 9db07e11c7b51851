import { formatShape } from "@isthmus/core";
import { make } from "../shell/dom.ts";
import { download } from "../shell/download.ts";
import { formatBytes } from "../worker/lab/format-bytes.ts";
import type { Explained, RecipeProblem } from "../worker/lab/lab-requests.ts";
import { showFinding } from "./finding.ts";
import { plural } from "./format.ts";
import { quote } from "./recipe-text.ts";
import { messageOf } from "./step.ts";
import { createTable } from "./table.ts";

/** Milliseconds without a key after which a recipe is explained. */
const PAUSE = 250;

/** Functions by which the editor has recipes explained, and passes the explanations on. */
export interface EditorActions {
  readonly explain: (recipe: string, pattern: string) => Promise<Explained>;
  /** Called when the recipe was explained. */
  readonly onExplained: (text: string, explained: Explained) => void;
  /** Leads to the step that aligns networks. */
  readonly toAlign: () => void;
}

/** An editor of recipes, which explains each recipe while the reader writes it. */
export class RecipeEditor {
  readonly element: HTMLElement;
  readonly #actions: EditorActions;
  readonly #area = make("textarea", {
    id: "lab-recipe",
    rows: "12",
    spellcheck: "false",
    autocapitalize: "off",
    wrap: "off",
  });
  readonly #problems = make("ul", { class: "problems" });
  readonly #findings = make("div", { class: "findings", role: "status" });
  readonly #say = make("p", { class: "say", role: "status", id: "lab-explained" });
  readonly #groups = createTable(
    "What the recipe makes",
    ["Tensors", ">Number", "Type", "Shape", "Made by"],
    "group",
  );
  readonly #pattern = make("input", { type: "search", id: "lab-pattern", placeholder: "layers.0.*" });
  readonly #reasons = createTable("Why, tensor by tensor", ["Tensor", "Made by", "Because"], "tensor");
  readonly #details = make(
    "details",
    {},
    make("summary", {}, "Why each tensor gets what it gets"),
    make("label", {}, "Tensors whose names fit ", this.#pattern),
    this.#reasons.element,
  );
  /** Networks by which recipes to begin with are written. */
  #networks: readonly string[] = [];
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** Number of the last explanation that was asked for. */
  #asked = 0;

  constructor(actions: EditorActions) {
    this.#actions = actions;
    this.#groups.element.hidden = true;
    this.#details.hidden = true;
    this.#area.addEventListener("input", () => this.refresh());
    this.#pattern.addEventListener("input", () => this.refresh());
    const examples = this.#makeExamples();
    this.element = make(
      "div",
      { class: "editor" },
      make(
        "p",
        { class: "row" },
        make("label", { for: "lab-recipe" }, "Recipe, in YAML"),
        make("label", {}, "Begin with ", examples),
      ),
      this.#area,
      this.#makeSave(),
      this.#say,
      this.#problems,
      this.#findings,
      this.#groups.element,
      this.#details,
    );
  }

  get text(): string {
    return this.#area.value;
  }

  /** Puts a recipe into the editor. */
  write(text: string): void {
    this.#area.value = text;
    this.refresh();
  }

  /** Offers recipes of these networks to begin with. */
  offer(networks: readonly string[]): void {
    this.#networks = networks;
  }

  /** Explains the recipe again, in a moment. */
  refresh(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#explain(), PAUSE);
  }

  #makeExamples(): HTMLSelectElement {
    const examples = make("select", { id: "lab-recipes" }, make("option", {}, "\u2026"));
    examples.append(...EXAMPLES.map(({ name }) => make("option", {}, name)));
    examples.addEventListener("change", () => {
      const example = EXAMPLES[examples.selectedIndex - 1];
      examples.selectedIndex = 0;
      if (example === undefined) return;
      this.#area.value = example.write(this.#networks);
      // As if it were typed: it is the reader's own recipe then.
      this.#area.dispatchEvent(new Event("input", { bubbles: true }));
    });
    return examples;
  }

  #makeSave(): HTMLElement {
    const save = make("button", { type: "button", class: "quiet" }, "Save recipe.yml");
    save.addEventListener("click", () =>
      download(new Blob([this.text], { type: "text/yaml" }), "recipe.yml"),
    );
    return save;
  }

  async #explain(): Promise<void> {
    const mine = ++this.#asked;
    const { text } = this;
    if (text.trim() === "") return;
    try {
      const explained = await this.#actions.explain(text, this.#pattern.value);
      if (mine === this.#asked) this.#show(text, explained);
    } catch (error) {
      if (mine === this.#asked) this.#say.textContent = messageOf(error);
    }
  }

  #show(text: string, explained: Explained): void {
    const { problems, warnings, findings, groups, tensors } = explained;
    this.#findings.replaceChildren(...findings.map((finding) => showFinding(finding, this.#actions.toAlign)));
    this.#problems.replaceChildren(
      ...problems.map((problem) => showProblem(problem, "bad", this.#area)),
      ...warnings.map((problem) => showProblem(problem, "warning", this.#area)),
    );
    const isRight = problems.length === 0;
    for (const part of [this.#groups.element, this.#details]) part.hidden = !isRight;
    this.#say.textContent = isRight ? sayExplained(explained) : `${plural(problems.length, "problem")}.`;
    this.#groups.fill(
      groups.map((group) => [
        group.tensors,
        String(group.count),
        group.dtype,
        formatShape(group.shape),
        group.madeBy,
      ]),
    );
    this.#reasons.fill(tensors.map(({ name, madeBy, reason }) => [name, madeBy, reason]));
    this.#actions.onExplained(text, explained);
  }
}

function sayExplained({ method, merged, copied, bytesRead, bytesWritten, aligns }: Explained): string {
  const aligned = aligns ? "aligned first, then " : "";
  return `${aligned}${method}: ${plural(merged, "tensor")} merged, ${copied} copied; reads ${formatBytes(bytesRead)}, writes ${formatBytes(bytesWritten)}.`;
}

/** Shows a problem; a press leads to its line. */
function showProblem(
  { line, text }: RecipeProblem,
  kind: "bad" | "warning",
  area: HTMLTextAreaElement,
): HTMLElement {
  if (line === undefined) return make("li", { class: kind }, text);
  const go = make("button", { type: "button", class: "quiet" }, `Line ${line}`);
  go.addEventListener("click", () => {
    const lines = area.value.split("\n");
    const begin = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
    area.focus();
    area.setSelectionRange(begin, begin + (lines[line - 1]?.length ?? 0));
  });
  return make("li", { class: kind }, go, ` ${text}`);
}

/** A recipe to begin with. */
interface ExampleRecipe {
  readonly name: string;
  readonly write: (networks: readonly string[]) => string;
}

const namesOf = (networks: readonly string[]): [string, string] => [
  quote(networks[0] ?? "a.safetensors"),
  quote(networks[1] ?? "b.safetensors"),
];

const EXAMPLES: readonly ExampleRecipe[] = [
  {
    name: "an average, three to one",
    write(networks) {
      const [a, b] = namesOf(networks);
      return `merge_method: linear\nmodels:\n  - model: ${a}\n    parameters: { weight: 0.75 }\n  - model: ${b}\n    parameters: { weight: 0.25 }\n`;
    },
  },
  {
    name: "the arc, from one to the other by depth",
    write(networks) {
      const [a, b] = namesOf(networks);
      return `merge_method: slerp\nmodels:\n  - model: ${a}\n  - model: ${b}\nparameters:\n  t: [0, 1] # a gradient over the layers\n`;
    },
  },
  {
    name: "weights of one, biases of the other",
    write(networks) {
      const [a, b] = namesOf(networks);
      return `merge_method: linear\nmodels:\n  - model: ${a}\n    parameters:\n      weight:\n        - filter: bias\n          value: 0\n        - value: 1\n  - model: ${b}\n    parameters:\n      weight:\n        - filter: bias\n          value: 1\n        - value: 0\n`;
    },
  },
  {
    name: "aligned, then averaged",
    write(networks) {
      const [a, b] = namesOf(networks);
      return `merge_method: linear\nmodels:\n  - model: ${a}\n  - model: ${b}\n    align: true # its units in the order of the first\n`;
    },
  },
];
