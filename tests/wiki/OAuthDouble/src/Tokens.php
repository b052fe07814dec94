<?php
namespace MediaWiki\Extension\OAuthDouble;

use MediaWiki\MediaWikiServices;

/** Access tokens of the shape that MediaWiki's OAuth extension signs. */
class Tokens {
	private static function encode( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
	}

	private static function decode( string $text ): string {
		return (string)base64_decode( strtr( $text, '-_', '+/' ) );
	}

	public static function challengeOf( string $verifier ): string {
		return self::encode( hash( 'sha256', $verifier, true ) );
	}

	/** The dates are fractions, the audience is a string, there is no `kid`. */
	public static function issue( string $client, int $user, string $consent ): array {
		$config = MediaWikiServices::getInstance()->getMainConfig();
		$ttl = (int)Store::setting( 'ttl', 3600 );
		$now = microtime( true );
		$jti = bin2hex( random_bytes( 40 ) );
		$subject = Store::setting( 'newSubject' ) ? Store::setting( 'newSubject' ) . ":$user" : (string)$user;
		$claims = [ 'aud' => $client, 'jti' => $jti, 'iat' => round( $now, 6 ), 'nbf' => round( $now + 5e-6, 6 ),
			'exp' => round( $now + $ttl, 6 ), 'sub' => $subject, 'iss' => $config->get( 'CanonicalServer' ),
			'scopes' => [ 'mwoauth-authonly' ] ];
		$text = self::encode( '{"typ":"JWT","alg":"RS256"}' ) . '.'
			. self::encode( json_encode( $claims, JSON_UNESCAPED_SLASHES ) );
		openssl_sign( $text, $signature, file_get_contents( Store::setting( 'key' ) ), OPENSSL_ALGO_SHA256 );
		$refresh = bin2hex( random_bytes( 64 ) );
		$row = [ 'user' => $user, 'client' => $client, 'consent' => $consent, 'jti' => $jti ];
		Store::put( 'token', $jti, $row, $ttl );
		Store::put( 'refresh', $refresh, $row, 86400 );
		return [ 'token_type' => 'Bearer', 'expires_in' => $ttl, 'access_token' => "$text." . self::encode( $signature ),
			'refresh_token' => $refresh ];
	}

	private static function isSigned( string $text, string $signature ): bool {
		foreach ( [ 'key', 'oldKey' ] as $name ) {
			$file = Store::setting( $name );
			if ( $file === null ) {
				continue;
			}
			$public = openssl_pkey_get_details( openssl_pkey_get_private( file_get_contents( $file ) ) )['key'];
			if ( openssl_verify( $text, $signature, $public, OPENSSL_ALGO_SHA256 ) === 1 ) {
				return true;
			}
		}
		return false;
	}

	/** The row of a token that is signed, has not ended and was not revoked; otherwise the reason as text. */
	public static function check( string $token ) {
		$parts = explode( '.', $token );
		if ( count( $parts ) !== 3 ) {
			return 'The JWT string must have two dots';
		}
		if ( !self::isSigned( "$parts[0].$parts[1]", self::decode( $parts[2] ) ) ) {
			return 'Access token could not be verified';
		}
		$claims = json_decode( self::decode( $parts[1] ), true );
		$row = Store::get( 'token', (string)( $claims['jti'] ?? '' ) );
		if ( !$row || ( $claims['exp'] ?? 0 ) < microtime( true )
			|| Store::consent( $row['user'], $row['client'] ) !== $row['consent'] ) {
			return 'Access token has been revoked';
		}
		return $row;
	}
}
