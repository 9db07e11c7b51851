import { cifar10Kind, cifar100Kind } from "./cifar.ts";
import { csvKind } from "./csv.ts";
import type { DataKind } from "./data-kind.ts";
import { idxKind } from "./idx.ts";
import { imagesKind } from "./images.ts";
import { fashionMnistKind, mnistKind } from "./mnist.ts";
import { npyKind } from "./npy.ts";
import { npzKind } from "./npz.ts";
import { parquetKind } from "./parquet.ts";
import { safetensorsKind } from "./safetensors.ts";
import { textKind } from "./text.ts";
import { tokensKind } from "./tokens.ts";

/** All kinds of data, in the order in which they are listed. */
export const DATA_KINDS: readonly DataKind[] = [
  mnistKind,
  fashionMnistKind,
  cifar10Kind,
  cifar100Kind,
  imagesKind,
  parquetKind,
  csvKind,
  idxKind,
  npyKind,
  npzKind,
  safetensorsKind,
  textKind,
  tokensKind,
];
