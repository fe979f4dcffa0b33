import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { readUint } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface TimeSpec {
  /** Seconds since 1970, UTC. */
  dateStart: number;
  dateStop: number;
  /** Seconds since midnight. */
  dayStart: number;
  dayStop: number;
  /** Bits 1 to 31. */
  monthdays: number;
  /** Bits 1 (Monday) to 7. */
  weekdays: number;
  kerneltz: boolean;
  contiguous: boolean;
}

const DAY = 86400;
const LAST_SECOND = DAY - 1;
const LAST_DATE = 0x7fffffff;
const ALL_MONTHDAYS = 0xfffffffe | 0;
const ALL_WEEKDAYS = 0xfe;
const NAMES: readonly string[] = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** When the packet came, by UTC: the kernel's time zone is not known, and hardly ever set. */
class TimeMatch extends XtMatch {
  private readonly spec: TimeSpec;

  constructor(spec: TimeSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { spec } = this;
    let stamp = Math.floor(state.now / 1000);
    if (stamp < spec.dateStart || stamp > spec.dateStop) return false;
    const second = stamp % DAY;
    if (spec.dayStart < spec.dayStop) {
      if (second < spec.dayStart || second > spec.dayStop) return false;
    } else {
      if (second < spec.dayStart && second > spec.dayStop) return false;
      // What is left of the stretch after midnight counts as of the day before.
      if (spec.contiguous && second <= spec.dayStop) stamp -= DAY;
    }
    const days = Math.floor(stamp / DAY);
    // 1 January 1970 was a Thursday.
    const weekday = ((days + 3) % 7) + 1;
    if ((spec.weekdays & (1 << weekday)) === 0) return false;
    return spec.monthdays === ALL_MONTHDAYS || (spec.monthdays & (1 << dayOfMonth(days))) !== 0;
  }
}

/** Day of the month of a day since 1970 (Hinnant, chrono-Compatible Low-Level Date Algorithms: civil_from_days). */
function dayOfMonth(days: number): number {
  const z = days + 719468;
  const doe = z - Math.floor(z / 146097) * 146097;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  return doy - Math.floor((153 * mp + 2) / 5) + 1;
}

function date(arg: XtArg): number {
  const m = /^(\d+)(?:-(\d+)(?:-(\d+)(?:T(?:(\d+)(?::(\d*)(?::(\d*))?)?)?)?)?)?$/.exec(arg.text.trimStart());
  const bad = new XtError(
    `Invalid date "${arg.text}" specified. Should be YYYY[-MM[-DD[Thh[:mm[:ss]]]]]`,
    undefined,
    0,
  );
  if (m === null) throw bad;
  // Measured: what is left out behind a colon is 0.
  const part = (i: number, fallback: number): number => (m[i] === undefined ? fallback : Number(m[i]));
  const [year, month, day] = [part(1, 0), part(2, 1), part(3, 1)];
  const [hour, minute, second] = [part(4, 0), part(5, 0), part(6, 0)];
  const fits =
    year >= 1970 &&
    year <= 2038 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 31 &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!fits) throw bad;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

function daytime(arg: XtArg): number {
  // Measured: a number that is left out is 0.
  const m = /^\s*(\d*):(\d*)(?::(\d*))?$/.exec(arg.text);
  const [hour, minute, second] = m === null ? [99, 0, 0] : [Number(m[1]), Number(m[2]), Number(m[3] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59)
    throw new XtError(
      `invalid time "${arg.text}" specified, should be hh:mm[:ss] format and within the boundaries`,
      undefined,
      0,
    );
  return hour * 3600 + minute * 60 + second;
}

function monthdays(arg: XtArg): number {
  let bits = 0;
  for (const word of arg.text.split(',')) {
    if (word === '') continue;
    const day = /x/i.test(word) ? undefined : readUint(word, 0, 31);
    if (day === undefined) throw new XtError(`${word} is not a valid day for --monthdays`, undefined, 0);
    bits |= 1 << day;
  }
  bits &= ALL_MONTHDAYS;
  return arg.inverted ? ~bits & ALL_MONTHDAYS : bits;
}

/** The first two letters count, as they are in the names; numbers beyond the week are passed over (measured). */
function weekdays(arg: XtArg): number {
  let bits = 0;
  for (const word of arg.text.split(',')) {
    if (word === '') continue;
    const number = readUint(word);
    const day =
      number ?? NAMES.findIndex((n) => n !== '' && word.length >= 2 && n.startsWith(word.slice(0, 2)));
    if (day <= 0) throw new XtError(`${word} is not a valid day specifier`, 'Mon to Sun, or 1 to 7', 0);
    if (day <= 7) bits |= 1 << day;
  }
  bits &= ALL_WEEKDAYS;
  return arg.inverted ? ~bits & ALL_WEEKDAYS : bits;
}

function two(n: number): string {
  return `${n}`.padStart(2, '0');
}

function daytimeText(s: number): string {
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function dateText(stamp: number): string {
  return new Date(stamp * 1000).toISOString().slice(0, 19);
}

function bitList(bits: number, last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1).filter((i) => (bits & (1 << i)) !== 0);
}

function flag(
  name: string,
  set: (spec: TimeSpec) => void,
  excludes: readonly string[] = [],
): XtOption<TimeSpec> {
  return { name, args: 0, excludes, parse: set };
}

const OPTIONS: readonly XtOption<TimeSpec>[] = [
  {
    name: 'datestart',
    parse: (spec, arg) => {
      spec.dateStart = date(arg);
    },
  },
  {
    name: 'datestop',
    parse: (spec, arg) => {
      spec.dateStop = date(arg);
    },
  },
  {
    name: 'timestart',
    parse: (spec, arg) => {
      spec.dayStart = daytime(arg);
    },
  },
  {
    name: 'timestop',
    parse: (spec, arg) => {
      spec.dayStop = daytime(arg);
    },
  },
  flag('localtz', (spec) => {
    spec.kerneltz = true;
  }),
  {
    name: 'monthdays',
    invert: true,
    parse: (spec, arg) => {
      spec.monthdays = monthdays(arg);
    },
  },
  {
    name: 'weekdays',
    invert: true,
    parse: (spec, arg) => {
      spec.weekdays = weekdays(arg);
    },
  },
  flag('kerneltz', (spec) => {
    spec.kerneltz = true;
  }),
  flag('utc', () => {}, ['localtz', 'kerneltz']),
  flag('contiguous', (spec) => {
    spec.contiguous = true;
  }),
];

function save(spec: TimeSpec): string {
  const words: string[] = [];
  if (spec.dayStart !== 0 || spec.dayStop !== LAST_SECOND)
    words.push(`--timestart ${daytimeText(spec.dayStart)} --timestop ${daytimeText(spec.dayStop)}`);
  if (spec.monthdays !== ALL_MONTHDAYS) words.push(`--monthdays ${bitList(spec.monthdays, 31).join(',')}`);
  if (spec.weekdays !== ALL_WEEKDAYS)
    words.push(
      `--weekdays ${bitList(spec.weekdays, 7)
        .map((d) => NAMES[d]!)
        .join(',')}`,
    );
  if (spec.dateStart !== 0) words.push(`--datestart ${dateText(spec.dateStart)}`);
  if (spec.dateStop !== 0) words.push(`--datestop ${dateText(spec.dateStop)}`);
  if (spec.kerneltz) words.push('--kerneltz');
  if (spec.contiguous) words.push('--contiguous');
  return words.join(' ');
}

/** `-m time`: when the packet came. */
export const MATCH_TIME: Extension<TimeSpec> = {
  kind: 'match',
  name: 'time',
  families: XT_BOTH,
  options: OPTIONS,
  init: () => ({
    dateStart: 0,
    dateStop: LAST_DATE,
    dayStart: 0,
    dayStop: LAST_SECOND,
    monthdays: ALL_MONTHDAYS,
    weekdays: ALL_WEEKDAYS,
    kerneltz: false,
    contiguous: false,
  }),
  finish: (spec) => {
    if (spec.contiguous && spec.dayStart < spec.dayStop)
      throw new XtError('time: --contiguous only makes sense when stoptime is smaller than starttime');
  },
  save,
  lower: (spec) => [new TimeMatch(spec)],
};
