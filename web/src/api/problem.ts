/** What can go wrong with a request: the server said no (RFC 9457), or nobody answered. */

export interface FieldError {
  loc: (string | number)[]
  msg: string
}

interface ProblemBody {
  title?: string
  detail?: string
  code?: string
  request_id?: string
  next_step?: string
  errors?: FieldError[]
}

export class Problem extends Error {
  override name = 'Problem'
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string | null,
    readonly nextStep: string | null,
    readonly requestId: string | null,
    readonly errors: FieldError[],
    readonly retryAfter: number | null,
    /** Everything the server said, for what only this kind of problem has. */
    readonly said: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || title)
  }
}

/** No answer at all: offline, refused, or cut off on the way. */
export class Unreachable extends Error {
  override name = 'Unreachable'
  constructor(cause?: unknown) {
    super('The server did not answer. Check your connection.', { cause })
  }
}

export function problemFrom(
  status: number,
  body: unknown,
  headers: { get(name: string): string | null },
): Problem {
  const said = (body && typeof body === 'object' ? body : {}) as ProblemBody
  const seconds = Number(headers.get('retry-after'))
  return new Problem(
    status,
    said.code ?? `http-${status}`,
    said.title ?? (status >= 500 ? 'Something broke on our side' : 'The request was refused'),
    said.detail ?? null,
    said.next_step ?? null,
    said.request_id ?? headers.get('x-request-id'),
    Array.isArray(said.errors) ? said.errors : [],
    Number.isFinite(seconds) && seconds > 0 ? seconds : null,
    { ...said },
  )
}

export async function problemFromResponse(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null)
  return problemFrom(response.status, body, response.headers)
}

export function isProblem(error: unknown, code: string): error is Problem {
  return error instanceof Problem && error.code === code
}

/** The service is there but cannot serve right now; asking again later is worth it. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  return error instanceof Problem && [429, 502, 503, 504].includes(error.status)
}

/** The server's field errors by field name: `{ email: 'This is not an e-mail address.' }`. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof Problem)) return {}
  const byField: Record<string, string> = {}
  for (const { loc, msg } of error.errors) {
    const field = loc.at(-1)
    if (typeof field === 'string') byField[field] ??= msg.replace(/^Value error, /, '')
  }
  return byField
}

export function explain(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong.'
}
