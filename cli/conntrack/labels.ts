import { readFileSync } from 'node:fs';
import { usage } from './words.ts';

/** Where the names of connlabels are (libnetfilter_conntrack). */
const LABEL_FILE = '/etc/xtables/connlabel.conf';

/** Bits of a flow that may have names. */
const LAST_BIT = 127;

/** Names of connlabels, both ways. */
export class LabelMap {
  private readonly bits: Map<string, number> = new Map();
  private readonly names: Map<number, string> = new Map();

  /** @param text lines of a bit and its name; # begins a comment. What is no such line does not count. */
  constructor(text: string) {
    for (const line of text.split('\n')) {
      const found = /^\s*(\d+)\s+(\S+)/.exec(line);
      const bit = Number(found?.[1]);
      if (found === null || bit > LAST_BIT || this.names.has(bit) || this.bits.has(found[2]!)) continue;
      this.bits.set(found[2]!, bit);
      this.names.set(bit, found[2]!);
    }
  }

  /** The bit of a name. */
  bit(name: string): number | null {
    return this.bits.get(name) ?? null;
  }

  /** The names of those bits that have one, in their order. */
  namesOf(bits: readonly number[]): string[] {
    return [...bits].sort((a, b) => a - b).flatMap((bit) => this.names.get(bit) ?? []);
  }
}

/** Reads the file of names when it is first needed, and says so if it is not there. */
export class Labels {
  private readonly say: (line: string) => void;
  private readonly file: string;
  private map: LabelMap | null | undefined = undefined;

  /** @param file {@link LABEL_FILE} or another */
  constructor(say: (line: string) => void, file: string = LABEL_FILE) {
    this.file = file;
    this.say = say;
  }

  /** The names if they were needed already: then flows are shown with them. */
  get loaded(): LabelMap | null {
    return this.map ?? null;
  }

  /** The names, null if there is no file. */
  load(): LabelMap | null {
    if (this.map !== undefined) return this.map;
    try {
      this.map = new LabelMap(readFileSync(this.file, 'utf8'));
    } catch {
      this.say('nfct_labelmap_new: No such file or directory');
      this.map = null;
    }
    return this.map;
  }

  /** The bits of names separated by commas. @throws ToolError */
  bits(text: string): number[] {
    const map = this.load();
    return text.split(',').map((name) => map?.bit(name) ?? usage(`unknown label '${name}'`));
  }
}
