import type { Device } from '../host/host.ts';
import type { HookState } from './hook-state.ts';

/** IFNAMSIZ: bytes of a device name in a register, the rest zero. */
export const IFNAMSIZ = 16;

const NO_NAME = new Int32Array(IFNAMSIZ / 4);
const names = new WeakMap<Device, Int32Array>();

/** A name as the kernel holds it: sixteen bytes, cut to fifteen and filled up with zeros. */
export function nameBytes(name: string): Uint8Array {
  const out = new Uint8Array(IFNAMSIZ);
  for (let i = 0; i < name.length && i < IFNAMSIZ - 1; i++) out[i] = name.charCodeAt(i);
  return out;
}

/** A device's name as four words in this machine's byte order, made once; all zero for no device. */
function nameWords(device: Device | null): Int32Array {
  if (device === null) return NO_NAME;
  const known = names.get(device);
  if (known !== undefined) return known;
  const made = new Int32Array(nameBytes(device.name).buffer);
  names.set(device, made);
  return made;
}

/** Puts a device's name into a register, zeros for no device. */
export function storeName(state: HookState, at: number, device: Device | null): void {
  const from = nameWords(device);
  const to = at >> 2;
  for (let i = 0; i < 4; i++) state.words[to + i] = from[i]!;
}
