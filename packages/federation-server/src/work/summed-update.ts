import {
  type ByteSource,
  type Checkpoint,
  defineCheckpoint,
  entry,
  fromFloat64Into,
  isIsthmusError,
  type TensorData,
  toFloat64,
} from "@isthmus/core";
import { type ClientUpdate, openSecureSum, type SecureServerState } from "@isthmus/federated";
import { secureLayout } from "./secure-layout.ts";

/** Files from which a secure sum is read. */
interface SummedFiles {
  readonly secure: SecureServerState;
  readonly keep: readonly string[];
  /** Masked updates by client. */
  readonly sources: ReadonlyMap<string, ByteSource>;
}

/**
 * A secure sum that cannot be opened, as a client sent wrong shares or a wrong update: the round must begin
 * again.
 */
export interface BrokenSum {
  /** Reason why the sum cannot be opened, for people. */
  readonly broken: string;
}

/**
 * Opens the sum of masked updates as one update, with the examples of all updates together: the global
 * network moved by the weighted mean, which is all that the server can see. Each range is unmasked when it is
 * read.
 * @returns the sum, or the reason why it is broken: a file has another length, or shares do not make the
 * secrets of a client
 */
export async function openSummedUpdate(
  network: Checkpoint,
  { secure, keep, sources }: SummedFiles,
): Promise<ClientUpdate | BrokenSum> {
  try {
    const sum = await openSecureSum(secure, sources);
    const { places } = secureLayout(network, new Set(keep));
    const summed = defineCheckpoint({
      source: `sum of ${sum.clients.length} updates`,
      tensors: network.tensors,
      metadata: network.metadata,
      async readInto(name, begin, out) {
        await network.readRangeInto(name, begin, out);
        const place = places.get(name);
        if (place === undefined) return;
        const { dtype } = entry(network.tensors, name, "tensor");
        const values = Float64Array.from(toFloat64(out, dtype));
        const change = await sum.sumInto(place.begin + begin, new Float64Array(out.length));
        for (let i = 0; i < values.length; i++) {
          values[i] = (values[i] as number) + (change[i] as number) / sum.weight;
        }
        fromFloat64Into(values, dtype, out as TensorData);
      },
    });
    return { client: "sum", examples: sum.examples, network: summed };
  } catch (error) {
    if (isIsthmusError(error, "FormatError")) return { broken: error.message };
    throw error;
  }
}
