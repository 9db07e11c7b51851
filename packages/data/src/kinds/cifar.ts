import { at } from "@isthmus/core";
import type { Scaling } from "@isthmus/graph";
import { openArrays } from "../open-arrays.ts";
import { type CifarLayout, listCifarFiles, readCifar } from "../read-cifar.ts";
import { CIFAR10_SCALING, CIFAR100_SCALING } from "../scaling.ts";
import type { DataKind } from "./data-kind.ts";

const CIFAR10: CifarLayout = {
  name: "CIFAR-10",
  folders: ["cifar-10-batches-bin", "cifar-10-batches-py"],
  files: { train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}`), test: ["test_batch"] },
  labelBytes: 1,
  labelByte: 0,
  labelKey: "labels",
};

const CIFAR100: CifarLayout = {
  name: "CIFAR-100",
  folders: ["cifar-100-binary", "cifar-100-python"],
  files: { train: ["train"], test: ["test"] },
  labelBytes: 2,
  labelByte: 1,
  labelKey: "fine_labels",
};

/** CIFAR-100 with its 20 coarse classes, whose labels come first. */
const CIFAR100_COARSE: CifarLayout = { ...CIFAR100, labelByte: 0, labelKey: "coarse_labels" };

/** CIFAR-10, binary or Python version. */
export const cifar10Kind: DataKind = {
  ...kindOf(CIFAR10, { scaling: CIFAR10_SCALING, classesOf: () => 10, layoutOf: () => CIFAR10 }),
  name: "cifar10",
  forms: [
    {
      form: "cifar10:DIR",
      what: "CIFAR-10, binary or Python version, in the folder or one above it",
      example: "cifar10:data/cifar-10-batches-bin:train",
    },
  ],
};

/** CIFAR-100, binary or Python version. */
export const cifar100Kind: DataKind = {
  ...kindOf(CIFAR100, {
    scaling: CIFAR100_SCALING,
    classesOf: ({ labels }) => (labels === "coarse" ? 20 : 100),
    layoutOf: ({ labels }) => (labels === "coarse" ? CIFAR100_COARSE : CIFAR100),
  }),
  name: "cifar100",
  forms: [
    {
      form: "cifar100:DIR",
      what: "CIFAR-100, binary or Python version, with its 100 fine classes, or with `,coarse` behind the folder its 20 coarse ones",
      example: "cifar100:data/cifar-100-binary,coarse:test",
    },
  ],
  settings: { labels: /coarse|fine/ },
};

/** Choices that depend on the settings of a name. */
interface CifarChoices {
  readonly scaling: Scaling;
  readonly classesOf: (settings: Readonly<Record<string, string>>) => number;
  readonly layoutOf: (settings: Readonly<Record<string, string>>) => CifarLayout;
}

function kindOf(
  layout: CifarLayout,
  { scaling, classesOf, layoutOf }: CifarChoices,
): Omit<DataKind, "name" | "forms"> {
  return {
    place: "a folder",
    splits: ["test", "train"],
    findSplits: async () => ["test", "train"],
    listFiles: (path) => listCifarFiles(layout, path),
    async open({ name, paths, settings, split, limit }, options) {
      const request = { folder: at(paths, 0, "path"), split, limit, name };
      const examples = await readCifar(layoutOf(settings), request);
      return openArrays({ name, limit }, examples, options, { scaling, classes: classesOf(settings) });
    },
  };
}
