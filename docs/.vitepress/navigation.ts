/** A page in the sidebar. */
export interface PageEntry {
  /** Words of the sidebar. */
  readonly text: string;
  /** Path of the page below docs/, without the ending `.md`. */
  readonly page: string;
}

/** Pages that stand together in the sidebar, under one heading. */
export interface PageGroup {
  /** Heading of the group. */
  readonly text: string;
  /** Pages in the order of the sidebar. */
  readonly pages: readonly PageEntry[];
  /** Whether the sidebar shows the heading alone until a reader opens it. */
  readonly collapsed?: boolean;
}

/**
 * The sidebar beside everything but the reference. A page of docs/ that no list here names, and a name without a page, fail the
 * build of the site and test/site.test.ts.
 */
export const LEARN: readonly PageGroup[] = [
  {
    text: "Start",
    pages: [
      { text: "Documentation", page: "index" },
      { text: "Installing", page: "installing" },
      { text: "Devices", page: "devices" },
      { text: "A script that merges", page: "start/script" },
      { text: "A federation", page: "start/federation" },
      { text: "A study", page: "start/study" },
      { text: "Python", page: "python" },
      { text: "First errors", page: "errors" },
    ],
  },
  {
    text: "Theory",
    pages: [{ text: "Two basins, one isthmus", page: "theory/two-basins" }],
  },
  {
    text: "Merge",
    pages: [
      { text: "Merge methods", page: "merge-methods" },
      { text: "Mixtures of experts", page: "mixtures" },
      { text: "From many models one", page: "from-many-models" },
      { text: "Weights from data", page: "coefficients" },
      { text: "Searching a recipe", page: "search" },
      { text: "Healing a merge", page: "heal" },
      { text: "Checkpoints of training runs", page: "training-runs" },
      { text: "Transformers", page: "transformers" },
      { text: "Across widths", page: "across-widths" },
      { text: "Layouts of diffusion models", page: "diffusion-layouts" },
      { text: "Aligning diffusion models", page: "align-diffusion" },
      { text: "GGUF files", page: "gguf" },
      { text: "Quantised models", page: "quantized-models" },
      { text: "Teleportation", page: "teleportation" },
      { text: "Diffusion models", page: "diffusion" },
      { text: "Verdicts", page: "verdicts" },
    ],
  },
  {
    text: "Measure",
    pages: [
      { text: "Which measure answers what", page: "measures" },
      { text: "Paths between networks", page: "connectivity" },
      { text: "The loss around a network", page: "loss-around-a-network" },
      { text: "A map to walk on", page: "map" },
      { text: "A measurement of your own", page: "measurements" },
    ],
  },
  {
    text: "Networks and data",
    pages: [
      { text: "Exporting your model", page: "exporting" },
      { text: "Data", page: "data" },
      { text: "The Hugging Face hub", page: "hub" },
    ],
  },
  {
    text: "Federations and clusters",
    pages: [
      { text: "Protocol of federations", page: "federated-protocol" },
      { text: "Adapters in a federation", page: "federated-lora" },
      { text: "One round, many networks", page: "one-round" },
      { text: "Privacy in a federation", page: "federated-privacy" },
      { text: "Work on many machines", page: "clusters" },
    ],
  },
  {
    text: "Gallery",
    pages: [{ text: "Gallery", page: "gallery/index" }],
  },
  {
    text: "Coming from",
    pages: [
      { text: "mergekit", page: "coming-from/mergekit" },
      { text: "supermerger, ComfyUI", page: "coming-from/supermerger" },
      { text: "Git Re-Basin", page: "coming-from/git-re-basin" },
      { text: "PyHessian", page: "coming-from/pyhessian" },
      { text: "loss-landscape", page: "coming-from/loss-landscape" },
      { text: "Flower", page: "coming-from/flower" },
    ],
  },
  {
    text: "Reference",
    pages: [
      { text: "Commands", page: "commands" },
      { text: "Packages", page: "packages" },
      { text: "What to expect", page: "promises" },
      { text: "What may change", page: "stability" },
      { text: "Reproductions", page: "reproductions" },
      { text: "Speed beside peers", page: "speed" },
      { text: "Recipes, studies, results", page: "reference/recipe" },
      { text: "Errors", page: "reference/errors" },
    ],
  },
];

/**
 * Sidebar of the pages of reference/: these groups stand before the groups of verbs, packages and errors, which the build makes. A page of
 * docs/ that belongs here stands in both sidebars.
 */
export const REFERENCE: readonly PageGroup[] = [
  {
    text: "Reference",
    pages: [
      { text: "Commands", page: "commands" },
      { text: "Keys of recipes", page: "reference/recipe" },
      { text: "Keys of studies", page: "reference/study" },
      { text: "Results", page: "reference/results" },
      { text: "Packages", page: "packages" },
      { text: "Errors", page: "reference/errors" },
      { text: "What to expect", page: "promises" },
      { text: "Features", page: "reference/features" },
      { text: "Changes", page: "reference/changes" },
    ],
  },
];

/** Links at the top of every page. */
export const TOP: readonly PageEntry[] = [
  { text: "Get started", page: "start/script" },
  { text: "Guides", page: "merge-methods" },
  { text: "Theory", page: "theory/two-basins" },
  { text: "Gallery", page: "gallery/index" },
  { text: "Coming from", page: "coming-from/mergekit" },
  { text: "Reference", page: "commands" },
];
