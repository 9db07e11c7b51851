// Advice to errors that many meet, written by hand: what lies behind a message, beyond what it says itself.

/** Advice to all messages that contain some words. */
export interface ErrorAdvice {
  /** Words of the messages, as the reference shows them. */
  readonly words: RegExp;
  /** What to do, in Markdown; links start from the root of the repository. */
  readonly advice: string;
}

/** All advice; the first that fits a message stands below it. */
export const ERROR_ADVICE: readonly ErrorAdvice[] = [
  {
    words: /every weight must be found in it/,
    advice:
      "The graph and the checkpoint are of different networks, or the graph was exported from a third one: `--exported-from` names it. [Exporting](docs/exporting.md) lists what exporters change.",
  },
  {
    words: /it must exist: there is no such file or folder/,
    advice:
      "Paths start from the folder that the command runs in. Models of the Hugging Face hub are read from its cache and never downloaded.",
  },
  {
    words: /the result would be meaningless/,
    advice:
      "Networks that were trained apart must be aligned before they are averaged: `--align`. `isthmus compare` says what stands in the way, and [verdicts](docs/verdicts.md) what it rests on.",
  },
  {
    words: /a text must be UTF-8/,
    advice: "`iconv -f latin1 -t utf8 FILE > OTHER` converts a text of western Europe.",
  },
  {
    words: /no such element type|the element type of .* is not handled/,
    advice:
      "`isthmus inspect FILE` shows the element type of each tensor; [features](FEATURES.md) lists those that are read.",
  },
  {
    words: /it was cut short since|it claims|is damaged/,
    advice:
      "A download that stopped early is the usual reason: compare the size with that of the source, and download it again. A file that another program still writes reads the same.",
  },
  {
    words: /labels must be (?:below|at least)/,
    advice:
      "The last layer of the network has fewer outputs than there are classes, or labels begin with 1. [Data](docs/data.md) says how classes are numbered.",
  },
  {
    words: /statistics do not fit it|loss must be finite|losses must be finite/,
    advice:
      "Networks that learned from inputs between 0 and 1 need `--mean 0 --std 1`: see [how bytes are scaled](docs/data.md#how-bytes-are-scaled). Averages of networks with batch norms need `--statistics recalibrate`.",
  },
  {
    words: /every operator between loss and what to differentiate by needs a gradient rule/,
    advice:
      "[Features](FEATURES.md) lists the operators that have gradients. `--engine` changes nothing, as gradients are graphs that any engine runs.",
  },
  {
    words: /its address must be written as one/,
    advice: "[Work on many machines](docs/clusters.md) has the forms of addresses.",
  },
  {
    words: /the certificate of its server must be trusted/,
    advice:
      "The [protocol of federations](docs/federated-protocol.md) says how certificates are made and trusted.",
  },
  {
    words: /must have a tokenizer/,
    advice:
      "Tokenizers are read from the model's folder; `tokenizer_source` of a [recipe](docs/coming-from/mergekit.md) says whose is taken.",
  },
];
