import { accounts, ok } from '@/api/client'
import { signedIn } from '@/api/session'
import type { Registration } from '@/api/types'

export async function signIn(credentials: { email: string; password: string }): Promise<void> {
  signedIn(ok(await accounts.POST('/api/auth/login', { body: { ...credentials, mode: 'cookie' } })))
}

export async function register(registration: Registration): Promise<void> {
  ok(await accounts.POST('/api/auth/register', { body: registration }))
}

export async function verifyEmail(token: string): Promise<void> {
  ok(await accounts.POST('/api/auth/verify-email', { body: { token } }))
}

export async function resendVerification(email: string): Promise<void> {
  ok(await accounts.POST('/api/auth/resend-verification', { body: { email } }))
}
