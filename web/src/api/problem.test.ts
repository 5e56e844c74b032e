import { expect, it } from 'vitest'
import { fieldErrors, isTemporary, Problem, problemFrom, Unreachable } from './problem'

const headers = (values: Record<string, string> = {}) => new Headers(values)

it('reads what the server said', () => {
  const problem = problemFrom(
    422,
    {
      title: 'Some fields need attention',
      code: 'validation-failed',
      request_id: 'abc',
      errors: [
        { loc: ['body', 'email'], msg: 'Value error, no address' },
        { loc: ['body', 'email'], msg: 'second' },
        { loc: ['body', 'tags', 0], msg: 'odd' },
      ],
    },
    headers(),
  )
  expect(problem).toMatchObject({
    status: 422,
    code: 'validation-failed',
    requestId: 'abc',
    retryAfter: null,
  })
  expect(fieldErrors(problem)).toEqual({ email: 'no address' })
})

it('makes do with an answer that is no problem document', () => {
  const problem = problemFrom(502, '<html>', headers({ 'x-request-id': 'r1', 'retry-after': '7' }))
  expect(problem).toMatchObject({ code: 'http-502', requestId: 'r1', retryAfter: 7 })
  expect(problem.title).not.toBe('')
})

it('knows what may pass by itself', () => {
  const status = (code: number) => problemFrom(code, null, headers())
  expect([429, 502, 503, 504].every((code) => isTemporary(status(code)))).toBe(true)
  expect([400, 401, 404, 409, 413, 422, 500].some((code) => isTemporary(status(code)))).toBe(false)
  expect(isTemporary(new Unreachable())).toBe(true)
  expect(fieldErrors(new Error('x'))).toEqual({})
  expect(new Problem(500, 'x', 'Title', null, null, null, [], null).message).toBe('Title')
})
