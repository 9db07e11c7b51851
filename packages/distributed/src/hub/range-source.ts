import {
  type ByteSource,
  type Checkpoint,
  FormatError,
  formatHubName,
  type HubName,
  openCheckpoint,
  openSources,
} from "@isthmus/core";
import { cachePlaces, isLinked } from "./cache-places.ts";
import { chooseHubFiles } from "./choose-files.ts";
import { contentPath, type DownloadModelOptions } from "./download-model.ts";
import { createHubClient, type HubClient, isLost, lossOf } from "./hub-client.ts";
import { lostOf, strangeAnswer } from "./hub-errors.ts";
import { type HubFile, listRepository } from "./list-repository.ts";

/** Bytes that are requested at once while a header is read, which spares requests for each small part. */
const BLOCK = 2 ** 18;

/**
 * Opens the weights of a model on the hub by ranges: headers are fetched now, tensors when they are read, and
 * nothing is stored. If the cache has the weights already, they are read there.
 * @throws InputError if the hub refuses or cannot be reached
 * @throws FormatError if the hub ignores ranges, or a header is damaged
 */
export async function openHubModel(
  hub: HubName,
  { settings, signal, patience }: Pick<DownloadModelOptions, "settings" | "signal" | "patience">,
): Promise<Checkpoint> {
  const name = formatHubName(hub);
  const attempt = `look into "${name}"`;
  const client = createHubClient({ ...settings, signal, ...(patience && { patience }) });
  const { commit, files } = await listRepository(client, hub, attempt);
  const { weights } = chooseHubFiles(hub, files);
  const places = cachePlaces(settings.cache, hub.name, commit);
  const [first] = weights;
  if (first !== undefined && (await isLinked(places, weights)))
    return openCheckpoint(hub.file === undefined ? places.snapshot : places.pointerOf(first));
  const opens = weights.map((file) => {
    const path = contentPath(hub, commit, file);
    return [file.path, async () => createRangeSource(client, file, { path, attempt })] as const;
  });
  return openSources(name, new Map(opens));
}

/** The content of a file on the hub, and the attempt in words. */
interface RangePlace {
  readonly path: string;
  readonly attempt: string;
}

/** Creates a source that requests each range from the hub, and keeps the last block for small reads. */
function createRangeSource(client: HubClient, file: HubFile, place: RangePlace): ByteSource {
  const name = file.path;
  let block: { readonly begin: number; readonly bytes: Uint8Array } = { begin: 0, bytes: new Uint8Array() };
  const readInto = async (begin: number, out: Uint8Array): Promise<void> => {
    const end = begin + out.length;
    if (!Number.isSafeInteger(begin) || begin < 0 || end > file.size) {
      throw new FormatError(
        `Cannot read bytes ${begin} to ${end} of "${name}" as the range must be within it: it has ${file.size} bytes`,
        { format: "bytes" },
      );
    }
    if (out.length === 0) return;
    if (begin < block.begin || end > block.begin + block.bytes.length) {
      const until = Math.min(file.size, Math.max(end, begin + BLOCK));
      block = { begin, bytes: await fetchRange(client, { ...place, file, begin, end: until }) };
    }
    out.set(block.bytes.subarray(begin - block.begin, end - block.begin));
  };
  return {
    name,
    size: file.size,
    readInto,
    async read(begin, end) {
      const out = new Uint8Array(Math.max(0, Math.min(end, file.size) - begin));
      await readInto(begin, out);
      return out;
    },
    async close() {
      block = { begin: 0, bytes: new Uint8Array() };
    },
  };
}

/** A range of a file on the hub. */
interface RangeOrder extends RangePlace {
  readonly file: HubFile;
  readonly begin: number;
  readonly end: number;
}

/** Fetches bytes `[begin, end)` of a file. @throws FormatError if the hub sends others */
async function fetchRange(
  client: HubClient,
  { path, attempt, file, begin, end }: RangeOrder,
): Promise<Uint8Array> {
  const response = await client.open({ path, attempt, range: `bytes=${begin}-${end - 1}` });
  const isWhole = response.status === 200 && begin === 0 && end === file.size;
  if (response.status !== 206 && !isWhole) {
    void response.body?.cancel().catch(() => {});
    throw strangeAnswer(
      { attempt },
      `the hub must send parts of "${file.path}": it answers ${response.status} to a request for bytes ${begin} to ${end}`,
    );
  }
  const out = new Uint8Array(end - begin);
  let size = 0;
  try {
    for await (const chunk of client.chunks(response)) {
      size += chunk.length;
      if (size > out.length) break;
      out.set(chunk, size - chunk.length);
    }
  } catch (error) {
    if (!isLost(error)) throw error;
    throw lostOf(lossOf(error), { attempt, endpoint: client.endpoint, hasToken: false });
  }
  if (size === out.length) return out;
  throw strangeAnswer(
    { attempt },
    `the hub must send bytes ${begin} to ${end} of "${file.path}": it sends ${size > out.length ? "more" : `${size} bytes`}`,
  );
}
