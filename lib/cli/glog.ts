/** Severities of a log line, by the letter that it starts with. */
export type Severity = 'I' | 'W' | 'E' | 'F';

/** Where in the original's sources a line comes from; scripts see it as `file:line`. */
export interface LogSite {
  file: string;
  line: number;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

/**
 * One line as glog writes it: `I1123 16:56:25.035650 14319 quantization.cpp:260] text`; severity, month and
 * day, local time with microseconds, thread id (the process's here), place.
 */
export function glogLine(severity: Severity, site: LogSite, text: string, now: Date, pid: number): string {
  const date = digits(now.getMonth() + 1, 2) + digits(now.getDate(), 2);
  const clock = [now.getHours(), now.getMinutes(), now.getSeconds()].map((n) => digits(n, 2)).join(':');
  const micros = digits(now.getMilliseconds() * 1000, 6);
  return `${severity}${date} ${clock}.${micros} ${String(pid).padStart(5)} ${site.file}:${site.line}] ${text}`;
}
