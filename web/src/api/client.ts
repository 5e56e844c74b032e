/** The two APIs, typed by the OpenAPI file. Accounts live on this page's origin; the library may live elsewhere. */
import createClient, { type Client } from 'openapi-fetch'
import { noteAllowance } from './allowance'
import { config } from './config'
import { type Service, serviceAnswered, serviceFailed } from './connectivity'
import { problemFrom, problemFromResponse, Unreachable } from './problem'
import type { paths } from './schema'
import { renew, useSession, validToken } from './session'

/** Sends the request as the signed-in user; a refused token is renewed once and the request sent again. */
export async function authorizedFetch(request: Request): Promise<Response> {
  const service: Service = new URL(request.url).pathname.match(
    /^\/api\/(auth|account|user|organizations|invitations|admin|usage|billing)/,
  )
    ? 'accounts'
    : 'library'
  const again = request.clone()
  const token = await validToken()
  const response = await send(request, token, service)
  if (response.status !== 401) return response
  return send(again, await renew(token), service)
}

async function send(request: Request, token: string, service: Service): Promise<Response> {
  request.headers.set('Authorization', `Bearer ${token}`)
  return observed(request, service)
}

async function observed(request: Request, service: Service): Promise<Response> {
  let response: Response
  try {
    response = await fetch(request)
  } catch (cause) {
    if (request.signal.aborted) throw cause
    serviceFailed(service, null)
    throw new Unreachable(cause)
  }
  noteAllowance(response.headers)
  if ([502, 503, 504].includes(response.status)) {
    serviceFailed(service, Number(response.headers.get('retry-after')) || null)
  } else serviceAnswered(service)
  return response
}

const HERE = typeof window === 'undefined' ? 'http://localhost' : window.location.origin

/** For signing in: never with a token, whoever is signed in, so a 401 means "wrong password" and nothing is renewed. */
export const visitor = createClient<paths>({
  baseUrl: HERE,
  headers: { 'X-Requested-With': 'sample-agent' },
  fetch: (request) => observed(request, 'accounts'),
})

/** For people with and without a session. */
export const accounts = createClient<paths>({
  baseUrl: HERE,
  fetch: (request) =>
    useSession.getState().grant ? authorizedFetch(request) : observed(request, 'accounts'),
})

let libraryClient: Client<paths> | null = null

export function library(): Client<paths> {
  libraryClient ??= createClient<paths>({
    baseUrl: config().library_url || window.location.origin,
    fetch: authorizedFetch,
  })
  return libraryClient
}

/** The body of a successful answer; anything else is thrown as a Problem. */
export function ok<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  if (!response.ok) throw problemFrom(response.status, error, response.headers)
  return data as T
}

export async function fetchBlob(url: string, signal?: AbortSignal): Promise<Blob> {
  const response = await authorizedFetch(new Request(url, { signal }))
  if (!response.ok) throw await problemFromResponse(response)
  return response.blob()
}
