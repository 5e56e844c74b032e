/**
 * How much more this account may ask for in this minute, as the last answer told. Work in the background stops while a
 * quarter is left, so that whoever browses meanwhile is not refused.
 */
const KEPT_FREE = 0.25

let lowUntil = 0

/** Takes what an answer says of the limit, in the fields `RateLimit` and `RateLimit-Policy`. */
export function noteAllowance(headers: { get(name: string): string | null }): void {
  const standing = /"account";r=(\d+);t=(\d+)/.exec(headers.get('ratelimit') ?? '')
  const policy = /"account";q=(\d+)/.exec(headers.get('ratelimit-policy') ?? '')
  if (!standing || !policy) return
  const [left, seconds] = [Number(standing[1]), Number(standing[2])]
  // After half of the time in which all of it comes back there is room for a while.
  lowUntil = left < KEPT_FREE * Number(policy[1]) ? Date.now() + seconds * 500 : 0
}

/** For how many milliseconds work in the background shall wait. */
export function backgroundPause(): number {
  return Math.max(0, lowUntil - Date.now())
}
