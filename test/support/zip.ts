import { crc32, deflateRawSync } from "node:zlib";

export interface ZippedFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** What the archive says instead of the truth. */
  readonly flags?: number;
}

/** A zip archive of these files, deflated. */
export function zipOf(files: readonly ZippedFile[]): Buffer {
  const parts: Buffer[] = [];
  const index: Buffer[] = [];
  let offset = 0;
  for (const { name, content, flags = 0 } of files) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const path = Buffer.from(name);
    const sizes = [crc32(bytes), packed.length, bytes.length];
    const local = header(0x04034b50, [20, flags, 8, 0, 0], sizes, [path.length, 0]);
    const central = header(0x02014b50, [20, 20, flags, 8, 0, 0], sizes, [path.length, 0, 0, 0, 0]);
    const place = Buffer.alloc(8);
    place.writeUInt32LE(offset, 4);
    index.push(Buffer.concat([central, place, path]));
    parts.push(local, path, packed);
    offset += local.length + path.length + packed.length;
  }
  const directory = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directory, end]);
}

function header(
  signature: number,
  before: readonly number[],
  sizes: readonly number[],
  after: readonly number[],
): Buffer {
  const buffer = Buffer.alloc(4 + 2 * before.length + 4 * sizes.length + 2 * after.length);
  let place = buffer.writeUInt32LE(signature, 0);
  for (const value of before) place = buffer.writeUInt16LE(value, place);
  for (const value of sizes) place = buffer.writeUInt32LE(value, place);
  for (const value of after) place = buffer.writeUInt16LE(value, place);
  return buffer;
}
