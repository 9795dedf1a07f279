/** Every error of the library. Codes do not change within a major version; texts may. */
export type HawserErrorCode =
  | 'ERR_HAWSER_CRYPTO'
  | 'ERR_HAWSER_RANDOM'
  | 'ERR_HAWSER_AUTH'
  | 'ERR_HAWSER_FORMAT'
  | 'ERR_HAWSER_STATE'
  | 'ERR_HAWSER_ARG'
  | 'ERR_HAWSER_BUFFER'
  | 'ERR_HAWSER_LIMIT'
  | 'ERR_HAWSER_EXHAUSTED'
  | 'ERR_HAWSER_CLOSED'
  | 'ERR_HAWSER_PEER'
  | 'ERR_HAWSER_STORAGE' // 1..12: those of the core, in the order of csrc/include/hawser/error.h
  | 'ERR_HAWSER_NOT_ALLOWED'
  | 'ERR_HAWSER_UNREACHABLE'
  | 'ERR_HAWSER_UPSTREAM_RESET'
  | 'ERR_HAWSER_STREAM_LIMIT'
  | 'ERR_HAWSER_STATE_LOST'
  | 'ERR_HAWSER_VIOLATION'
  | 'ERR_HAWSER_CANCELLED'
  | 'ERR_HAWSER_TIMEOUT'
  | 'ERR_HAWSER_GOING_AWAY'
  | 'ERR_HAWSER_REVOKED'
  | 'ERR_HAWSER_EARLY_UNKNOWN' // codes 1..11 of SPEC 9
  | 'ERR_HAWSER_CONFIG'
  | 'ERR_HAWSER_ENGINE';

const core = [
  'CRYPTO',
  'RANDOM',
  'AUTH',
  'FORMAT',
  'STATE',
  'ARG',
  'BUFFER',
  'LIMIT',
  'EXHAUSTED',
  'CLOSED',
  'PEER',
  'STORAGE',
] as const;
const reset = [
  'CANCELLED',
  'NOT_ALLOWED',
  'UNREACHABLE',
  'UPSTREAM_RESET',
  'STREAM_LIMIT',
  'STATE_LOST',
  'VIOLATION',
  'CANCELLED',
  'TIMEOUT',
  'GOING_AWAY',
  'REVOKED',
  'EARLY_UNKNOWN',
] as const;

export class HawserError extends Error {
  override readonly name = 'HawserError';
  constructor(
    readonly code: HawserErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** An error of the core by its number (-1 .. -12). */
export function coreError(number: number, message?: string): HawserError {
  const word = core[-number - 1] ?? 'STATE';
  return new HawserError(`ERR_HAWSER_${word}`, message ?? `core error ${word}`);
}

/** What a stream that was reset with this code reports. */
export function resetError(code: number): HawserError {
  const word = reset[code] ?? 'VIOLATION';
  return new HawserError(`ERR_HAWSER_${word}`, `stream reset: ${word.toLowerCase().replaceAll('_', ' ')}`);
}
