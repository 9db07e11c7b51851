import { find, make } from "../shell/dom.ts";
import { formatBytes } from "../worker/lab/format-bytes.ts";
import type { Explained, RecipeProblem } from "../worker/lab/lab-requests.ts";
import { formatShape, plural } from "./format.ts";
import { quote } from "./recipe-text.ts";
import { messageOf } from "./step.ts";
import { createTable } from "./table.ts";

/** Milliseconds without a key after which a recipe is explained. */
const PAUSE = 250;

/** The editor of recipes, with what each makes. */
export interface RecipeEditor {
  readonly element: HTMLElement;
  readonly text: string;
  /** What the recipe makes; undefined until it was explained. */
  readonly explained: Explained | undefined;
  /** Puts a recipe into the editor. */
  write(text: string): void;
  /** Explains the recipe again, as the files have changed. */
  refresh(): void;
  /** Offers recipes of these networks to begin with. */
  offer(networks: readonly string[]): void;
}

/** What the editor tells, and asks. */
export interface EditorActions {
  readonly explain: (recipe: string, pattern: string) => Promise<Explained>;
  /** Called when the recipe was explained. */
  readonly onExplained: (text: string, explained: Explained) => void;
}

/** Creates the editor. */
export function createRecipeEditor({ explain, onExplained }: EditorActions): RecipeEditor {
  const area = make("textarea", {
    id: "lab-recipe",
    rows: "12",
    spellcheck: "false",
    autocapitalize: "off",
    wrap: "off",
  });
  const examples = make("select", { id: "lab-recipes" });
  const problems = make("ul", { class: "problems" });
  const say = make("p", { class: "say", role: "status", id: "lab-explained" });
  const table = createTable(
    "What the recipe makes",
    ["Tensors", ">Number", "Type", "Shape", "Made by"],
    "group",
  );
  const pattern = make("input", { type: "search", id: "lab-pattern", placeholder: "layers.0.*" });
  const reasons = createTable("Why, tensor by tensor", ["Tensor", "Made by", "Because"], "tensor");
  const details = make(
    "details",
    {},
    make("summary", {}, "Why each tensor gets what it gets"),
    make("label", {}, "Tensors whose names fit ", pattern),
    reasons.element,
  );
  let explained: Explained | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  const show = (found: Explained) => {
    explained = found;
    problems.replaceChildren(
      ...found.problems.map((problem) => showProblem(problem, "bad", area)),
      ...found.warnings.map((problem) => showProblem(problem, "warning", area)),
    );
    const isRight = found.problems.length === 0;
    for (const part of [table.element, details]) part.hidden = !isRight;
    say.textContent = isRight ? sayExplained(found) : `${plural(found.problems.length, "problem")}.`;
    table.fill(
      found.groups.map((group) => [
        ...[group.tensors, String(group.count), group.dtype, formatShape(group.shape), group.madeBy],
      ]),
    );
    reasons.fill(found.tensors.map(({ name, madeBy, reason }) => [name, madeBy, reason]));
    onExplained(area.value, found);
  };
  const explainNow = async () => {
    const mine = ++asked;
    if (area.value.trim() === "") return;
    try {
      const found = await explain(area.value, pattern.value);
      if (mine === asked) show(found);
    } catch (error) {
      if (mine === asked) say.textContent = messageOf(error);
    }
  };
  const explainSoon = () => {
    clearTimeout(pause);
    pause = setTimeout(() => void explainNow(), PAUSE);
  };
  area.addEventListener("input", explainSoon);
  pattern.addEventListener("input", explainSoon);
  const write = (text: string) => {
    area.value = text;
    explainSoon();
  };
  let offered: readonly string[] = [];
  examples.addEventListener("change", () => {
    const example = EXAMPLES[examples.selectedIndex - 1];
    if (example !== undefined) write(example.write(offered));
    examples.selectedIndex = 0;
  });
  examples.append(make("option", {}, "…"), ...EXAMPLES.map(({ name }) => make("option", {}, name)));
  return {
    element: make(
      "div",
      { class: "editor" },
      make(
        "p",
        { class: "row" },
        make("label", { for: "lab-recipe" }, "Recipe, in YAML"),
        make("label", {}, "Begin with ", examples),
      ),
      area,
      say,
      problems,
      table.element,
      details,
    ),
    get text() {
      return area.value;
    },
    get explained() {
      return explained;
    },
    write,
    refresh: explainSoon,
    offer(networks) {
      offered = networks;
    },
  };
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
    find("lab-recipe", HTMLTextAreaElement).focus();
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
