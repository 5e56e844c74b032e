import { accounts, ok, visitor } from '@/api/client'
import { provePasskey } from '@/api/passkeys'
import { isProblem } from '@/api/problem'
import { begin } from '@/api/session'
import type { Invitation, Registration } from '@/api/types'

export type Method = 'totp' | 'recovery-code' | 'passkey'

/** A right password that is not enough: what the account asks for next. */
export interface SecondStep {
  challenge: string
  methods: Method[]
  /** For the browser, when the account has a passkey. */
  passkeyOptions: unknown
}

/** Begins a session, or says which second step is left. */
export async function signIn(credentials: { email: string; password: string }): Promise<SecondStep | null> {
  try {
    await begin(async () =>
      ok(await visitor.POST('/api/auth/login', { body: { ...credentials, mode: 'cookie' } })),
    )
    return null
  } catch (error) {
    if (!isProblem(error, 'second-factor-required')) throw error
    const { challenge, methods, passkey_options } = error.said
    return {
      challenge: String(challenge),
      methods: Array.isArray(methods) ? (methods as Method[]) : [],
      passkeyOptions: passkey_options ?? null,
    }
  }
}

export type Proof = { code: string } | { recovery_code: string } | { credential: Record<string, unknown> }

export async function takeSecondStep(challenge: string, proof: Proof): Promise<void> {
  const body = { challenge, ...proof, mode: 'cookie' } as const
  await begin(async () => ok(await visitor.POST('/api/auth/login/second-factor', { body })))
}

export async function signInWithPasskey(): Promise<void> {
  const { challenge, options } = ok(await visitor.POST('/api/auth/login/passkey/options'))
  const credential = await provePasskey(options)
  const body = { challenge, credential, mode: 'cookie' } as const
  await begin(async () => ok(await visitor.POST('/api/auth/login/passkey', { body })))
}

export async function register(registration: Registration): Promise<void> {
  ok(await accounts.POST('/api/auth/register', { body: registration }))
}

export async function verifyEmail(token: string, password: string): Promise<void> {
  const body = { token, password, mode: 'cookie' } as const
  await begin(async () => ok(await visitor.POST('/api/auth/verify-email', { body })))
}

export async function resendVerification(email: string): Promise<void> {
  ok(await accounts.POST('/api/auth/resend-verification', { body: { email } }))
}

export async function forgotPassword(email: string): Promise<void> {
  ok(await accounts.POST('/api/auth/forgot-password', { body: { email } }))
}

export async function resetPassword(token: string, password: string): Promise<void> {
  ok(await accounts.POST('/api/auth/reset-password', { body: { token, password } }))
}

export async function confirmEmail(token: string): Promise<void> {
  ok(await accounts.POST('/api/auth/confirm-email', { body: { token } }))
}

export async function undoEmailChange(token: string): Promise<void> {
  ok(await accounts.POST('/api/auth/undo-email-change', { body: { token } }))
}

export async function keepAccount(token: string): Promise<void> {
  ok(await accounts.POST('/api/auth/keep-account', { body: { token } }))
}

export async function previewInvitation(token: string): Promise<Invitation> {
  return ok(await accounts.POST('/api/invitations/preview', { body: { token } }))
}
