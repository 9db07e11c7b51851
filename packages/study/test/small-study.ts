// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import type { StudyDescription } from "../src/description/study-description.ts";

/** Networks of two widths from three seeds, their barriers as trained and aligned, and a table of them. */
export const SMALL_STUDY: StudyDescription = {
  title: "Small",
  description: "A study for tests.",
  networks: {
    mlps: {
      for: { width: [4, 8], seed: "0..2" },
      net: "mlp:${width}",
      data: "few:train",
      seed: "${seed}",
      epochs: 3,
      snapshots: [1, 3],
    },
  },
  measurements: {
    barriers: {
      kind: "barrier",
      for: { alignment: ["none", "weight"] },
      between: "mlps",
      align: "${alignment}",
      data: "few:test",
      points: 5,
    },
  },
  tables: {
    barriers: {
      title: "Barriers",
      of: "barriers",
      by: ["epochs", "alignment", "width"],
      columns: {
        epochs: { title: "Epochs" },
        alignment: { title: "Second network", labels: { none: "as trained" } },
        width: { title: "Width" },
        barrier: { title: "Barrier", unit: "nats", mean: "barrier.loss.chord" },
        pairs: { title: "Pairs", count: "barrier.loss.chord" },
      },
    },
  },
};
