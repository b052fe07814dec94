<?php
namespace MediaWiki\Extension\OAuthDouble;

/** POST oauth2/access_token: a code or a refresh token, once, for tokens. */
class AccessToken extends Endpoint {
	public function execute() {
		$this->count( 'access_token' );
		$trouble = $this->trouble( 'access_token' );
		if ( $trouble ) {
			return $trouble;
		}
		$post = $this->getRequest()->getPostParams();
		[ $id, $secret ] = $this->credentials( $post );
		$client = Store::client( $id );
		if ( !$client || ( !empty( $client['secret'] ) && !hash_equals( $client['secret'], $secret ) ) ) {
			return $this->refuse( 401, 'invalid_client', 'Client authentication failed' );
		}
		switch ( $post['grant_type'] ?? '' ) {
			case 'authorization_code':
				$row = Store::take( 'code', (string)( $post['code'] ?? '' ) );
				$why = $this->whyNot( $row, $id, $post );
				break;
			case 'refresh_token':
				$row = Store::take( 'refresh', (string)( $post['refresh_token'] ?? '' ) );
				$why = !$row || $row['client'] !== $id ? 'Token has been revoked' : null;
				if ( $row ) {
					// Refreshing revokes the older access token at once.
					Store::take( 'token', $row['jti'] );
				}
				break;
			default:
				return $this->refuse( 400, 'unsupported_grant_type', 'grant_type' );
		}
		if ( $why ) {
			return $this->refuse( 400, 'invalid_grant', $why );
		}
		return $this->answer( 200, Tokens::issue( $id, $row['user'], $row['consent'] ), 'application/json; charset=UTF-8' );
	}

	/** RFC 6749 section 2.3.1: in the body, or as HTTP Basic. */
	private function credentials( array $post ): array {
		if ( preg_match( '/^Basic (\S+)$/i', $this->getRequest()->getHeaderLine( 'Authorization' ), $match ) ) {
			$pair = explode( ':', (string)base64_decode( $match[1] ), 2 );
			return [ urldecode( $pair[0] ), urldecode( $pair[1] ?? '' ) ];
		}
		return [ (string)( $post['client_id'] ?? '' ), (string)( $post['client_secret'] ?? '' ) ];
	}

	private function whyNot( $row, string $id, array $post ): ?string {
		if ( !$row || $row['client'] !== $id ) {
			return 'Authorization code has expired, was used or is another client\'s';
		}
		if ( $row['redirect'] !== ( $post['redirect_uri'] ?? null ) ) {
			return 'Invalid redirect URI';
		}
		if ( $row['challenge'] !== null && !hash_equals( $row['challenge'], Tokens::challengeOf( (string)( $post['code_verifier'] ?? '' ) ) ) ) {
			return 'Failed to verify `code_verifier`.';
		}
		return null;
	}
}
