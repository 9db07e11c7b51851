import { make } from "../shell/dom.ts";
import { showInFragment } from "../shell/fragment.ts";
import { formatBytes } from "../worker/lab/format-bytes.ts";
import type { Explained, LabRequests } from "../worker/lab/lab-requests.ts";
import type { Choices } from "./choices.ts";
import { formatSeconds } from "./format.ts";
import type { LabMachine } from "./lab-machine.ts";
import { MethodForm } from "./method-form.ts";
import { RecipeEditor } from "./recipe-editor.ts";
import { showWritten } from "./save-file.ts";
import { type ShownResult, Step, type Working } from "./step.ts";
import type { StepsOptions } from "./steps-options.ts";

/** Keys of this step in the fragment of the address. */
const FRAGMENT_KEYS = ["recipe"];

type Merged = LabRequests["lab.merge"]["result"];

/** The step that merges by a recipe, which a form writes or the reader. */
export class Merging {
  readonly step: Step<Merged>;
  readonly #machine: LabMachine;
  readonly #choices: Choices;
  readonly #name = make("input", { type: "text", id: "lab-output", value: "merged.safetensors", size: "22" });
  readonly #editor: RecipeEditor;
  readonly #form: MethodForm;
  /** Who wrote the recipe: nobody yet, the reader in the form, or the reader in the editor. */
  #author: "page" | "form" | "reader" = "page";
  /** Recipe and files of the last result; undefined before there is one. */
  #made: string | undefined;
  /** Files for which the form was filled last. */
  #offered = "";

  constructor({ machine, choices, toAlign, fromAddress }: StepsOptions) {
    this.#machine = machine;
    this.#choices = choices;
    this.#editor = new RecipeEditor({
      explain: (recipe, pattern) => machine.askAside("lab.explain", { recipe, pattern }),
      onExplained: (text, explained) => void this.#follow(text, explained),
      toAlign,
    });
    this.#form = new MethodForm((recipe) => {
      if (this.#author !== "reader") this.#editor.write(recipe);
      this.#checkResult();
    });
    this.#editor.element.addEventListener("input", ({ target }) => {
      if (target instanceof HTMLTextAreaElement)
        this.#author = target.value.trim() === "" ? "page" : "reader";
      this.#checkResult();
    });
    // Before the form's own listeners, which write the recipe.
    this.#form.element.addEventListener(
      "input",
      () => {
        this.#author = "form";
      },
      { capture: true },
    );
    this.step = new Step<Merged>({
      id: "lab-merge",
      title: "Merge, by a recipe",
      lead: "Choose a method, or write a recipe, as mergekit reads it or with more: what each tensor gets is shown as you write.",
      action: "Merge",
      controls: [
        this.#form.element,
        this.#editor.element,
        make("label", {}, "Name of the result ", this.#name),
      ],
      work: (working) => this.#merge(working),
      show: (merged) => this.#show(merged),
    });
    if (fromAddress !== undefined) this.write(fromAddress);
  }

  /** Puts a recipe of the reader into the editor. */
  write(recipe: string): void {
    this.#author = "reader";
    this.#editor.write(recipe);
    this.#checkResult();
  }

  /** Follows a change of the files, or of their parts. */
  follow(): void {
    const { networks, graph } = this.#choices;
    const now = JSON.stringify([networks, graph]);
    if (now === this.#offered) return;
    if (this.#offered === "")
      void this.#machine.askAside("lab.methods", undefined).then((methods) => this.#form.take(methods));
    this.#offered = now;
    this.#form.offer(networks, graph);
    this.#editor.offer(networks);
    this.#editor.refresh();
    this.#checkResult();
  }

  /** Names what a result is made of: the recipe and the files. */
  #inputs(): string {
    const { networks, graph } = this.#choices;
    return JSON.stringify([this.#editor.text, [...networks].sort(), graph]);
  }

  /** Marks the result if it was made of another recipe, or other files, than the page shows. */
  #checkResult(): void {
    if (this.#made === undefined || this.#made === this.#inputs()) return;
    this.step.outdate("The recipe or its files have changed since: merge again for their result.");
  }

  async #follow(text: string, { problems, bytesWritten }: Explained): Promise<void> {
    const obstacle = problems.length > 0 ? "" : await findNoRoom(bytesWritten);
    // Another recipe may stand there by now, which is explained next.
    if (text !== this.#editor.text) return;
    this.step.allow(obstacle);
    showInFragment(FRAGMENT_KEYS, this.#author === "page" ? "" : `recipe=${encodeURIComponent(text)}`);
  }

  #merge(working: Working): Promise<Merged> {
    this.#made = this.#inputs();
    const params = { recipe: this.#editor.text, name: this.#name.value, graph: this.#choices.graph };
    return this.#machine.ask("lab.merge", params, working);
  }

  #show({ written, seconds, notes }: Merged): ShownResult {
    const item = showWritten(this.#machine, written);
    return {
      say: `Written in ${formatSeconds(seconds)}: ${written.name}, ${formatBytes(written.bytes)}.`,
      nodes: [
        ...notes.map((note) => make("p", { class: "small" }, `${note}.`)),
        make("ul", { class: "written" }, item),
      ],
    };
  }
}

/** Returns why a result cannot be written into the page's storage; undefined if there is room for it. */
async function findNoRoom(bytes: number): Promise<string | undefined> {
  const { quota, usage = 0 } = await navigator.storage.estimate();
  if (quota === undefined || bytes <= quota - usage) return undefined;
  return `The result has ${formatBytes(bytes)}, and this browser lets the page write ${formatBytes(Math.max(0, quota - usage))}: free space on the disk, or use the command.`;
}
