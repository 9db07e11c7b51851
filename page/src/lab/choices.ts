import { make } from "../shell/dom.ts";
import { readFromFragment, showInFragment } from "../shell/fragment.ts";
import type { KnownData, KnownFiles } from "../worker/lab/lab-requests.ts";

/** The page's own digits, as commands name them; the command that is shown reads the same ones. */
const OWN_DIGITS: KnownData = { name: "mnist:test", label: "2,000 digits of this page", count: 2000 };

/** Keys of these choices in the fragment of the address, and what holds if it does not say them. */
const FIRST_CHOSEN = { points: "25", first: "2000" } as const;

/** Ranges of the numbers: places of a line, and examples. */
const RANGES = { points: { least: 3, most: 101 }, first: { least: 1, most: 1_000_000 } } as const;

/** Fields in which the reader chooses among the files: A, B, the graph, the examples, and numbers. */
export class Choices {
  readonly element: HTMLElement;
  readonly #a = make("select", { id: "lab-a" });
  readonly #b = make("select", { id: "lab-b" });
  readonly #graph = make("select", { id: "lab-graph" });
  readonly #data = make("select", { id: "lab-data" });
  readonly #first = numberField("lab-first", "first");
  readonly #points = numberField("lab-points", "points");
  #networks: readonly string[] = [];
  #unreadGraph: string | undefined;
  #sets: readonly KnownData[] = [];

  /** @param onChange - called when another file, or number, is chosen */
  constructor(onChange: () => void) {
    const fields = [
      ["A", this.#a],
      ["B", this.#b],
      ["Graph", this.#graph],
      ["Examples", this.#data],
      ["How many", this.#first],
      ["Places", this.#points],
    ] as const;
    const swap = make("button", { type: "button", class: "quiet", id: "lab-swap" }, "Swap A and B");
    this.element = make(
      "div",
      { class: "choices", role: "group", "aria-label": "Which file is what" },
      ...fields.map(([label, field]) => make("label", {}, `${label} `, field)),
      swap,
    );
    swap.addEventListener("click", () => {
      const { value } = this.#a;
      this.#a.value = this.#b.value;
      this.#b.value = value;
      onChange();
    });
    this.element.addEventListener("change", () => {
      this.#showInAddress();
      onChange();
    });
  }

  /** All networks, A and B first. */
  get networks(): readonly string[] {
    const first = [this.#a.value, this.#b.value].filter((path) => path !== "");
    return [...new Set([...first, ...this.#networks])];
  }

  get a(): string | undefined {
    return chosenIn(this.#a);
  }

  get b(): string | undefined {
    return chosenIn(this.#b);
  }

  get graph(): string | undefined {
    return chosenIn(this.#graph);
  }

  /** Path of a graph that could not be read; undefined if there is none. */
  get unreadGraph(): string | undefined {
    return this.#unreadGraph;
  }

  /** Name of the examples, with their number. */
  get data(): string | undefined {
    const name = chosenIn(this.#data);
    const known = this.#sets.find((set) => set.name === name);
    const range = { ...RANGES.first, most: known?.count ?? Number.POSITIVE_INFINITY };
    return name === undefined ? undefined : `${name}@${wholeIn(this.#first, range)}`;
  }

  get points(): number {
    return wholeIn(this.#points, RANGES.points);
  }

  /** Offers files. */
  offer({ files, data: given }: KnownFiles): void {
    this.#networks = files.filter(({ use }) => use === "network").map(({ path }) => path);
    const graphs = files.filter(({ use }) => use === "graph").map(({ path }) => path);
    this.#unreadGraph = files.find(({ path, problem }) => problem && /\.onnx$/i.test(path))?.path;
    const [a, b] = this.#networks;
    fill(this.#a, this.#networks.map(asOption), a);
    fill(this.#b, this.#networks.map(asOption), b);
    fill(this.#graph, graphs.map(asOption), graphs[0]);
    this.#sets = [...given, ...(graphs.length > 0 ? [OWN_DIGITS] : [])];
    fill(this.#data, this.#sets, this.#sets[0]?.name);
    this.element.hidden = files.length === 0;
  }

  #showInAddress(): void {
    const now = { points: this.#points.value, first: this.#first.value };
    const others = Object.entries(now).filter(
      ([key, value]) => value !== FIRST_CHOSEN[key as keyof typeof now],
    );
    showInFragment(Object.keys(now), others.map((pair) => pair.join("=")).join("&"));
  }
}

function chosenIn({ value }: HTMLSelectElement): string | undefined {
  return value === "" ? undefined : value;
}

/** Returns the number in a field, or the nearest that is allowed. */
function wholeIn(
  { value }: HTMLInputElement,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  return Math.min(most, Math.max(least, Math.round(Number(value)) || least));
}

function numberField(id: string, key: keyof typeof FIRST_CHOSEN): HTMLInputElement {
  const { least, most } = RANGES[key];
  const range = { min: String(least), max: String(most), step: "1" };
  return make("input", { type: "number", id, ...range, value: said(key) });
}

/** Returns a number that the address says, or else the usual one. */
function said(key: keyof typeof FIRST_CHOSEN): string {
  const text = readFromFragment(key) ?? "";
  return /^\d{1,6}$/.test(text) ? text : FIRST_CHOSEN[key];
}

function asOption(path: string): Option {
  return { name: path, label: path };
}

/** A value of a field, with its words. */
type Option = Pick<KnownData, "name" | "label">;

/** Fills a field, and keeps what was chosen if it is still there. */
function fill(field: HTMLSelectElement, options: readonly Option[], first: string | undefined): void {
  const before = field.value;
  field.replaceChildren(...options.map(({ name, label }) => make("option", { value: name }, label)));
  field.disabled = options.length === 0;
  field.value = options.some(({ name }) => name === before) ? before : (first ?? "");
}
