<?php
namespace MediaWiki\Extension\OAuthDouble;

use MediaWiki\Rest\Response;
use SpecialPage;

/** GET oauth2/authorize: login when there is no session, consent when the client asks for it, then a code. */
class Authorize extends Endpoint {
	public function execute() {
		$this->count( 'authorize' );
		$query = $this->getRequest()->getQueryParams();
		$id = (string)( $query['client_id'] ?? '' );
		$client = Store::client( $id );
		if ( !$client || ( $query['response_type'] ?? '' ) !== 'code' ) {
			return $this->refuse( 401, 'invalid_client', 'no such client, or not its flow' );
		}
		if ( ( $query['redirect_uri'] ?? $client['callback'] ) !== $client['callback'] ) {
			return $this->refuse( 401, 'invalid_client', 'another redirect_uri' );
		}
		$hasChallenge = ( $query['code_challenge_method'] ?? '' ) === 'S256'
			&& preg_match( '/^[A-Za-z0-9_-]{43}$/', $query['code_challenge'] ?? '' );
		if ( empty( $client['secret'] ) && !$hasChallenge ) {
			return $this->refuse( 400, 'invalid_request', 'Code challenge must be provided for public clients' );
		}
		$user = $this->getAuthority()->getUser();
		$text = wfArrayToCgi( $query );
		if ( !$user->isRegistered() ) {
			return $this->goTo( SpecialPage::getTitleFor( 'Userlogin' )->getFullURL( [
				'returnto' => 'Special:OAuthDouble', 'returntoquery' => wfArrayToCgi( [ 'request' => $text ] ) ] ) );
		}
		if ( isset( $query['approval_cancel'] ) ) {
			return $this->back( $client, $query, [ 'error' => 'access_denied' ] );
		}
		$consent = Store::consent( $user->getId(), $id );
		if ( !$consent && !empty( $client['ask'] ) ) {
			return $this->goTo( SpecialPage::getTitleFor( 'OAuthDouble' )->getFullURL( [ 'request' => $text ] ) );
		}
		$code = bin2hex( random_bytes( 32 ) );
		Store::put( 'code', $code, [ 'user' => $user->getId(), 'client' => $id,
			'consent' => $consent ?: Store::allow( $user->getId(), $id ),
			'challenge' => $hasChallenge ? $query['code_challenge'] : null, 'redirect' => $query['redirect_uri'] ?? null ], 600 );
		return $this->back( $client, $query, [ 'code' => $code ] );
	}

	private function goTo( string $address ): Response {
		return $this->getResponseFactory()->createTemporaryRedirect( $address );
	}

	private function back( array $client, array $query, array $what ): Response {
		return $this->getResponseFactory()->createLegacyTemporaryRedirect( wfAppendQuery( $client['callback'],
			$what + ( isset( $query['state'] ) ? [ 'state' => $query['state'] ] : [] ) ) );
	}
}
