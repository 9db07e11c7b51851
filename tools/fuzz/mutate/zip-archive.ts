import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Dice } from "../dice.ts";
import { edgeNumber } from "./mutate-bytes.ts";

/** Files of an archive by name, in order; a name may occur twice. */
export type ZipFiles = readonly (readonly [string, Buffer])[];

const SIGNATURES = { local: "PK\x03\x04", entry: "PK\x01\x02", end: "PK\x05\x06" } as const;
/** Bytes of a header before the names. */
const HEADER_BYTES = { local: 30, entry: 46, end: 22 } as const;

/** Reads the files of a well-formed archive. */
export function unpackZip(archive: Buffer): ZipFiles {
  return placesOf(archive, "entry").map((at) => {
    const method = archive.readUInt16LE(at + 10);
    const name = archive.toString("utf8", at + 46, at + 46 + archive.readUInt16LE(at + 28));
    const local = archive.readUInt32LE(at + 42);
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const content = archive.subarray(begin, begin + archive.readUInt32LE(at + 20));
    return [name, method === 8 ? inflateRawSync(content) : Buffer.from(content)] as const;
  });
}

/** Writes an archive, compressed or not. */
export function packZip(files: ZipFiles, isCompressed: boolean): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const stored = isCompressed ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(isCompressed ? 8 : 0, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(stored.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const body = Buffer.concat([Buffer.from(SIGNATURES.local, "latin1"), common, Buffer.from(name), stored]);
    directory.push(
      Buffer.concat([Buffer.from(`${SIGNATURES.entry}\x14\0`, "latin1"), common, place, Buffer.from(name)]),
    );
    bodies.push(body);
    offset += body.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(HEADER_BYTES.end);
  end.write(SIGNATURES.end, "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, central, end]);
}

/** Changes fields of the headers of an archive, so that they contradict the files or one another. */
export function mutateHeaders(dice: Dice, archive: Buffer): Buffer {
  const changed = Buffer.from(archive);
  for (let round = 1 + dice.below(2); round > 0; round--) {
    const kind = dice.pick(["entry", "entry", "local", "end"] as const);
    const places = placesOf(changed, kind);
    if (places.length === 0) continue;
    const at = dice.pick(places);
    edgeNumber(dice).copy(changed, at + 4 + 2 * dice.below((HEADER_BYTES[kind] - 4) / 2));
    // Two files at one place.
    if (kind === "entry" && dice.chance(0.3)) {
      const other = dice.pick(places);
      changed.copy(changed, at + 42, other + 42, other + 46);
    }
  }
  return changed;
}

/** Changes which files are in an archive: one missing, doubled, renamed, or with the content of another. */
export function mutateFiles(dice: Dice, files: ZipFiles): ZipFiles {
  const changed = [...files];
  const at = dice.below(changed.length);
  const [name, content] = changed[at] as readonly [string, Buffer];
  const [, other] = dice.pick(changed);
  const edits: (() => unknown)[] = [
    () => changed.splice(at, 1),
    () => changed.splice(at, 0, dice.pick(files)),
    () => changed.splice(at, 1, [name + dice.pick(["x", "/", "\0"]), content]),
    () => changed.splice(at, 1, [name, other]),
  ];
  dice.pick(edits)();
  return changed;
}

function placesOf(archive: Buffer, kind: keyof typeof SIGNATURES): number[] {
  const signature = Buffer.from(SIGNATURES[kind], "latin1");
  const places: number[] = [];
  for (let at = archive.indexOf(signature); at >= 0; at = archive.indexOf(signature, at + 1)) {
    if (at + HEADER_BYTES[kind] <= archive.length) places.push(at);
  }
  return places;
}
