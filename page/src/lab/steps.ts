import { make } from "../shell/dom.ts";
import { showInFragment } from "../shell/fragment.ts";
import { formatBytes } from "../worker/lab/format-bytes.ts";
import type {
  Aligned,
  Compared,
  FoundSymmetries,
  PairChoice,
  WithCommand,
} from "../worker/lab/lab-requests.ts";
import type { Choices } from "./choices.ts";
import { showComparison } from "./compare-view.ts";
import { formatSeconds } from "./format.ts";
import type { LabMachine } from "./lab-machine.ts";
import { createMethodForm } from "./method-form.ts";
import {
  createLinePicture,
  type LinePicture,
  showAlignment,
  showLines,
  showSymmetries,
} from "./pair-views.ts";
import { createRecipeEditor } from "./recipe-editor.ts";
import { showWritten } from "./save-file.ts";
import { Step, type Working } from "./step.ts";

/** Keys of the lab in the fragment of the address. */
const FRAGMENT_KEYS = ["recipe"];

/** What steps work with. */
export interface StepsOptions {
  readonly machine: LabMachine;
  readonly choices: Choices;
  /** Recipe that the address says. */
  readonly fromAddress: string | undefined;
}

/** The steps of the lab, each of which uses the chosen files. */
export interface Steps {
  readonly element: HTMLElement;
  /** Follows a change of the files, or of their parts. */
  follow(): void;
  /** Puts a recipe into the editor. */
  write(recipe: string): void;
}

/** Creates all steps. */
export function createSteps(options: StepsOptions): Steps {
  const { machine, choices } = options;
  const pair = pairOf(choices);
  const compare = new Step<WithCommand<Compared>>({
    id: "lab-compare",
    title: "Can they be merged?",
    lead: "Names, shapes, distances and angles of all networks, read by samples.",
    action: "Compare",
    work: (working) => machine.ask("lab.compare", { paths: choices.networks }, working),
    show: showComparison,
  });
  const symmetries = new Step<WithCommand<FoundSymmetries>>({
    id: "lab-symmetry",
    title: "Symmetries",
    lead: "Which units can be put in another order, and nothing is computed otherwise.",
    action: "Find them",
    work: (working) =>
      machine.ask("lab.symmetries", { graph: choices.graph ?? "", network: choices.a }, working),
    show: showSymmetries,
  });
  const align = alignStep(options, pair);
  const barrier = barrierStep(options, pair);
  const merging = createMerging(options);
  const all = [compare, symmetries, align, barrier];
  let before = "";
  return {
    element: make("div", { class: "steps" }, ...all.map(({ element }) => element), merging.step.element),
    write: merging.write,
    follow() {
      const now = JSON.stringify([choices.networks, choices.graph, choices.data, choices.points]);
      if (now !== before) for (const step of all) step.clear();
      before = now;
      const noGraph =
        choices.graph === undefined ? "It needs the graph of the network: drop an ONNX file." : undefined;
      const noPair = choices.b === undefined ? "It needs two networks: drop another one." : undefined;
      const isOne = choices.a === choices.b ? "It needs two networks: A and B are one file." : undefined;
      compare.allow(noPair);
      symmetries.allow(noGraph);
      align.allow(noPair ?? isOne ?? noGraph);
      barrier.allow(noPair ?? isOne ?? noGraph ?? noData(choices));
      merging.follow();
    },
  };
}

function noData({ data }: Choices): string | undefined {
  return data === undefined
    ? "It needs examples: drop an .npz or .safetensors file of inputs and labels, or MNIST files."
    : undefined;
}

function pairOf(choices: Choices): () => PairChoice {
  return () => ({ a: choices.a ?? "", b: choices.b ?? "", graph: choices.graph ?? "" });
}

function alignStep({ machine }: StepsOptions, pair: () => PairChoice): Step<WithCommand<Aligned>> {
  return new Step({
    id: "lab-align",
    title: "Align B to A",
    lead: "B's units in the order of A's, found by their weights; B computes what it did, which is proved by running it.",
    action: "Align",
    work: (working) => machine.ask("lab.align", pair(), working),
    show: (aligned) => showAlignment(aligned, saveAlignedPart(machine, pair(), aligned)),
  });
}

/** Offers to write the aligned network, and tells its size before. */
function saveAlignedPart(
  machine: LabMachine,
  pair: PairChoice,
  { bytes, command }: WithCommand<Aligned>,
): HTMLElement {
  const name = command.split(" ").at(-1)?.replace(/^'|'$/g, "") ?? "aligned.safetensors";
  const files = make("ul", { class: "written" });
  const write = make("button", { type: "button", class: "quiet" }, `Write ${name}, ${formatBytes(bytes)}`);
  const say = make("p", { class: "say", role: "status" });
  write.addEventListener("click", async () => {
    write.disabled = true;
    try {
      const written = await machine.ask("lab.save-aligned", { ...pair, name });
      const item = showWritten(machine, written, () => item.remove());
      files.replaceChildren(item);
    } catch (error) {
      say.textContent = (error as Error).message;
    } finally {
      write.disabled = false;
    }
  });
  return make("div", {}, write, files, say);
}

function barrierStep({ machine, choices }: StepsOptions, pair: () => PairChoice) {
  let picture: LinePicture = createLinePicture();
  const step = new Step({
    id: "lab-barrier",
    title: "What lies between them",
    lead: "The loss on the line from A to B, as they were given and once B is aligned.",
    action: "Measure",
    work: ({ signal, onProgress }: Working) => {
      picture = createLinePicture();
      const { points, data = "" } = choices;
      return machine.ask(
        "lab.barrier",
        { ...pair(), data, points },
        {
          signal,
          onProgress(progress) {
            onProgress(progress);
            if (progress.place === undefined) return;
            if (!picture.element.isConnected)
              step.element.querySelector(".result")?.replaceChildren(picture.element);
            picture.add(progress.aligned, progress.place);
          },
        },
      );
    },
    show: (measured) => showLines(measured, picture),
  });
  return step;
}

/** Creates the step that merges by a recipe, which a form writes or the reader. */
function createMerging({ machine, choices, fromAddress }: StepsOptions) {
  let isOwn = fromAddress !== undefined;
  const name = make("input", { type: "text", id: "lab-output", value: "merged.safetensors", size: "22" });
  const editor = createRecipeEditor({
    explain: (recipe, pattern) => machine.askAside("lab.explain", { recipe, pattern }),
    onExplained(text, { problems }) {
      step.allow(problems.length > 0 ? "" : undefined);
      showInFragment(FRAGMENT_KEYS, isOwn ? `recipe=${encodeURIComponent(text)}` : "");
    },
  });
  const form = createMethodForm((recipe) => {
    if (isOwn && editor.text.trim() !== "") return;
    editor.write(recipe);
  });
  editor.element.addEventListener("input", () => {
    isOwn = editor.text.trim() !== "";
  });
  form.element.addEventListener(
    "change",
    () => {
      isOwn = false;
    },
    { capture: true },
  );
  const step = new Step({
    id: "lab-merge",
    title: "Merge, by a recipe",
    lead: "Choose a method, or write a recipe, as mergekit reads it or with more: what each tensor gets is shown as you write.",
    action: "Merge",
    controls: [form.element, editor.element, make("label", {}, "Name of the result ", name)],
    work: (working) => {
      const params = { recipe: editor.text, name: name.value, graph: choices.graph };
      return machine.ask("lab.merge", params, working);
    },
    show({ written, seconds, notes }) {
      const item = showWritten(machine, written, () => item.remove());
      return {
        say: `Written in ${formatSeconds(seconds)}: ${written.name}, ${formatBytes(written.bytes)}.`,
        nodes: [
          ...notes.map((note) => make("p", { class: "small" }, `${note}.`)),
          make("ul", { class: "written" }, item),
        ],
      };
    },
  });
  let isKnown = false;
  if (fromAddress !== undefined) editor.write(fromAddress);
  return {
    step,
    write(recipe: string) {
      isOwn = true;
      editor.write(recipe);
    },
    follow() {
      form.offer(choices.networks, choices.graph);
      editor.offer(choices.networks);
      editor.refresh();
      if (isKnown) return;
      isKnown = true;
      void machine.askAside("lab.methods", undefined).then((methods) => form.take(methods));
    },
  };
}
