import { crc32, deflateRawSync } from "node:zlib";

/** An entry as it is written, and what headers claim of it where that is not the truth. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Length the headers claim once unpacked. */
  readonly claimedBytes?: number;
  readonly claimedCrc32?: number;
}

/** Encodes a zip file of deflated entries, for tests. */
export function encodeZip(entries: readonly ZipEntry[]): Uint8Array {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { common, name, packed } = encodeEntry(entry);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, place, name]));
    bodies.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...bodies, central, end]));
}

function encodeEntry({ name, bytes, claimedBytes, claimedCrc32 }: ZipEntry) {
  const packed = deflateRawSync(bytes);
  // What local headers and the directory have in common: version to extra length, 26 bytes.
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(claimedCrc32 ?? crc32(bytes), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(claimedBytes ?? bytes.length, 18);
  common.writeUInt16LE(Buffer.byteLength(name), 22);
  return { common, name: Buffer.from(name), packed };
}
