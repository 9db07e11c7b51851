import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** How large a study is, and how long each of its tasks takes. */
export interface SmallStudyOptions {
  readonly networks: number;
  readonly net?: string;
  readonly epochs?: number;
}

/** Writes a study of n networks and n(n - 1) tasks on their pairs into a folder: 8 networks give 64 tasks. */
export function writeSmallStudy(
  folder: string,
  { networks, net = "mlp:16", epochs = 3 }: SmallStudyOptions,
): string {
  const path = join(folder, "small.yaml");
  writeFileSync(
    path,
    `title: Small
description: Barriers between small networks
networks:
  mlps:
    for: { seed: "0..${networks - 1}" }
    net: ${net}
    data: mnist:test@1000
    seed: \${seed}
    epochs: ${epochs}
measurements:
  barrier: { kind: barrier, between: mlps, align: weight, data: mnist:test@500, points: 5 }
tables: {}
`,
  );
  return path;
}
