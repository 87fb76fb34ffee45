/** Archives as `.npz` files are. */

/** A zip archive without compression. */
export function stored(entries: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: number[] = [];
  const central: number[] = [];
  const crcOf = (bytes: Uint8Array) => {
    let crc = 0xffffffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
    return (crc ^ 0xffffffff) >>> 0;
  };
  const u16 = (value: number) => [value & 255, value >> 8 & 255];
  const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
  for (const [name, bytes] of Object.entries(entries)) {
    const own = [...new TextEncoder().encode(name)];
    const head = [...u16(20), ...u16(0), ...u16(0), ...u32(0), ...u32(crcOf(bytes)), ...u32(bytes.length)];
    const offset = parts.length;
    parts.push(...u32(0x04034b50), ...head, ...u32(bytes.length), ...u16(own.length), ...u16(0), ...own, ...bytes);
    central.push(...u32(0x02014b50), ...u16(20), ...head, ...u32(bytes.length), ...u16(own.length), ...u16(0));
    central.push(...u16(0), ...u16(0), ...u16(0), ...u32(0), ...u32(offset), ...own);
  }
  const count = Object.keys(entries).length;
  const end = [...u32(0x06054b50), ...u16(0), ...u16(0), ...u16(count), ...u16(count), ...u32(central.length)];
  return Uint8Array.from([...parts, ...central, ...end, ...u32(parts.length), ...u16(0)]);
}
