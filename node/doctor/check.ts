/** One finding of the doctor; `mend` says what to do when it is not `ok`. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failing';
  readonly detail: string;
  readonly mend?: string;
}

export const fine = (name: string, detail: string): Finding => ({ name, status: 'ok', detail });

export const warning = (name: string, detail: string, mend: string): Finding => ({
  name,
  status: 'warning',
  detail,
  mend,
});

export const failing = (name: string, detail: string, mend: string): Finding => ({
  name,
  status: 'failing',
  detail,
  mend,
});
