import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { printable } from '../printable.ts';

const NETLINK_NETFILTER = 12;

/** The text of a file of /proc, '' if it is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Inode of the netfilter socket that has a netlink port, null if there is none any more. */
function inodeOf(portid: number): string | null {
  for (const line of textOf('/proc/net/netlink').split('\n').slice(1)) {
    // sk, protocol, port, groups, rmem, wmem, dump, locks, drops, inode
    const words = line.trim().split(/\s+/);
    if (Number(words[1]) === NETLINK_NETFILTER && Number(words[2]) === portid) return words[9] ?? null;
  }
  return null;
}

function holds(process: string, socket: string): boolean {
  try {
    const folder = `/proc/${process}/fd`;
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`) === socket;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/** A process's name without what could upset a terminal; the kernel writes line ends in it as \n. */
function nameOf(process: string): string | null {
  const found = /^\d+ \((.*)\) /s.exec(textOf(`/proc/${process}/stat`));
  return found === null ? null : printable(found[1]!);
}

function findProgram(portid: number): string | null {
  const inode = inodeOf(portid);
  if (inode === null) return null;
  const socket = `socket:[${inode}]`;
  if (holds(String(portid), socket)) return nameOf(String(portid));
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holds(name, socket));
  return found === undefined ? null : nameOf(found);
}

/** How long a name counts (ms): whoever does much is looked for once, not for each event. */
const KEPT = 1000;

/** Names of programs by their netlink ports. */
export class Programs {
  private readonly found: Map<number, { readonly name: string | null; readonly until: number }> = new Map();

  /**
   * The name of the program that has a netlink port open, null if it is gone already. The first socket of a process
   * mostly has its number for a port; of others, every process is looked at.
   * @param now ms
   */
  of(portid: number, now: number): string | null {
    const known = this.found.get(portid);
    if (known !== undefined && now < known.until) return known.name;
    if (this.found.size > 100) this.found.clear();
    const name = findProgram(portid);
    this.found.set(portid, { name, until: now + KEPT });
    return name;
  }
}
