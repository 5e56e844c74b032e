import { useTitle } from '@/ui/title'
import { AuthenticatorSection } from './authenticator'
import { PasskeysSection } from './passkeys'
import { PasswordSection } from './password'
import { RecoverySection } from './recovery-codes'
import { SessionsSection } from './sessions'

export function SecurityPage() {
  useTitle('Security')
  return (
    <>
      <PasswordSection />
      <AuthenticatorSection />
      <PasskeysSection />
      <RecoverySection />
      <SessionsSection />
    </>
  )
}
