import { make } from "../shell/dom.ts";
import type { KnownData, KnownFiles } from "../worker/lab/lab-requests.ts";

/** The page's own digits, as commands name them; the command that is shown reads the same ones. */
const OWN_DIGITS: KnownData = { name: "mnist:test", label: "2,000 digits of this page" };

/** Number of the page's own digits. */
const OWN_COUNT = 2000;

/** What the reader has chosen among the files. */
export interface Choices {
  readonly element: HTMLElement;
  /** All networks, A and B first. */
  readonly networks: readonly string[];
  readonly a: string | undefined;
  readonly b: string | undefined;
  readonly graph: string | undefined;
  /** Name of the examples, with their number. */
  readonly data: string | undefined;
  readonly points: number;
  /** Offers files. */
  offer(known: KnownFiles): void;
}

/** Creates the fields in which files get their parts. */
export function createChoices(onChange: () => void): Choices {
  const [a, b, graph, data] = ["a", "b", "graph", "data"].map((name) =>
    make("select", { id: `lab-${name}` }),
  ) as [HTMLSelectElement, HTMLSelectElement, HTMLSelectElement, HTMLSelectElement];
  const examples = make("input", { type: "number", id: "lab-count", min: "1", step: "1", value: "2000" });
  const points = make("input", {
    type: "number",
    id: "lab-points",
    min: "3",
    max: "101",
    step: "1",
    value: "25",
  });
  const fields = [
    ["A", a],
    ["B", b],
    ["Graph", graph],
    ["Examples", data],
    ["First", examples],
    ["Places", points],
  ] as const;
  const element = make(
    "div",
    { class: "choices", role: "group", "aria-label": "Which file is what" },
    ...fields.map(([label, field]) => make("label", {}, `${label} `, field)),
  );
  let networks: readonly string[] = [];
  element.addEventListener("change", onChange);
  const valueOf = ({ value }: HTMLSelectElement) => (value === "" ? undefined : value);
  return {
    element,
    get networks() {
      const first = [a.value, b.value].filter((path) => path !== "");
      return [...new Set([...first, ...networks])];
    },
    get a() {
      return valueOf(a);
    },
    get b() {
      return valueOf(b);
    },
    get graph() {
      return valueOf(graph);
    },
    get data() {
      const name = valueOf(data);
      const count = Math.round(Number(examples.value));
      const most = name === OWN_DIGITS.name ? Math.min(count, OWN_COUNT) : count;
      return name === undefined ? undefined : `${name}@${Math.max(1, most)}`;
    },
    get points() {
      return Math.min(101, Math.max(3, Math.round(Number(points.value)) || 25));
    },
    offer({ files, data: given }) {
      networks = files.filter(({ use }) => use === "network").map(({ path }) => path);
      const graphs = files.filter(({ use }) => use === "graph").map(({ path }) => path);
      fill(a, networks.map(asOption), networks[0]);
      fill(b, networks.map(asOption), networks[1]);
      fill(graph, graphs.map(asOption), graphs[0]);
      const sets = [...given, ...(graphs.length > 0 ? [OWN_DIGITS] : [])];
      fill(data, sets, sets[0]?.name);
      element.hidden = files.length === 0;
      onChange();
    },
  };
}

function asOption(path: string): KnownData {
  return { name: path, label: path };
}

/** Fills a field, and keeps what was chosen if it is still there. */
function fill(field: HTMLSelectElement, options: readonly KnownData[], first: string | undefined): void {
  const before = field.value;
  field.replaceChildren(...options.map(({ name, label }) => make("option", { value: name }, label)));
  field.disabled = options.length === 0;
  field.value = options.some(({ name }) => name === before) ? before : (first ?? "");
}
