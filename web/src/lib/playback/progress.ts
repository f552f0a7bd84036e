/** How far somebody is in a work, as of a time. */
export interface Report {
  readonly kind: 'movie' | 'episode';
  readonly itemId: string;
  readonly fileId: string;
  readonly positionMs: number;
  readonly durationMs: number;
  /** ISO 8601; the latest counts, so that sending twice or late does no harm. */
  readonly at: string;
}

export interface ReporterDeps {
  /** @throws when it did not arrive */
  readonly send: (report: Report) => Promise<void>;
  /** Leaves although the page goes; nobody hears whether it arrived. */
  readonly leave: (report: Report) => void;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** Id of whose reports they are: what is kept in a browser is not sent as somebody else's. */
  readonly whose: () => string | undefined;
}

/** Tells the server how far one is, and loses nothing when it does not hear. */
export interface Reporter {
  /** Kept in this browser until the server has it. */
  tell(report: Report): Promise<void>;
  /** The page is closed or hidden, perhaps for good. */
  tellLeaving(report: Report): void;
  /** Sends what could not be sent before; resolves to how much arrived. */
  resend(): Promise<number>;
}

const most = 50;

export function createReporter({ send, leave, storage, whose }: ReporterDeps): Reporter {
  const slotOf = () => `revenge.progress.${whose() ?? ''}`;
  const waiting = (): Record<string, Report> => {
    try {
      return JSON.parse(storage.getItem(slotOf()) ?? '{}') as Record<string, Report>;
    } catch {
      return {}; // written by somebody else
    }
  };
  const save = (reports: Record<string, Report>) => {
    const entries = Object.entries(reports).slice(-most);
    if (entries.length === 0) storage.removeItem(slotOf());
    else storage.setItem(slotOf(), JSON.stringify(Object.fromEntries(entries)));
  };
  const keep = (report: Report) => save({ ...waiting(), [report.itemId]: report });
  const forget = ({ itemId, at }: Report) => {
    const { [itemId]: kept, ...others } = waiting();
    // A newer one may have been kept while this one was on its way.
    if (kept && kept.at <= at) save(others);
  };
  const tell = async (report: Report) => {
    keep(report);
    await send(report);
    forget(report);
  };
  return {
    tell,
    tellLeaving(report) {
      keep(report);
      leave(report);
    },
    async resend() {
      const reports = Object.values(waiting());
      const sent = await Promise.allSettled(reports.map(tell));
      return sent.filter(({ status }) => status === 'fulfilled').length;
    },
  };
}
