<?php
// Maintenance of the tests' wiki: makes its people (without arguments), or does one thing to one account:
// `php seed.php --do block|hide|unblock|rename|user --name NAME [--to NAME]`; or to a page:
// `--do delete --name TITLE`, `--do suppress --name TITLE --to REVISION`.
require_once getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php';

use MediaWiki\Extension\Renameuser\RenameuserSQL;
use MediaWiki\MediaWikiServices;

class Seed extends Maintenance {
	private const PEOPLE = [ 'Rosa Reporter', 'Rene Respondent', 'Fatima Functionary', 'Filip Functionary',
		'Bruno Blocked', 'Hanna Hidden', 'Nora Newname', 'Rico Revoked', 'Bella Browser' ];

	public function __construct() {
		parent::__construct();
		foreach ( [ 'do', 'name', 'to' ] as $option ) {
			$this->addOption( $option, $option, false, true );
		}
	}

	public function execute() {
		$name = $this->getOption( 'name' );
		switch ( $this->getOption( 'do' ) ) {
			case null:
				array_map( [ $this, 'make' ], self::PEOPLE );
				break;
			case 'user':
				$this->make( $name );
				break;
			case 'block':
			case 'hide':
				$this->block( $name, $this->getOption( 'do' ) === 'hide' );
				break;
			case 'unblock':
				$this->need( MediaWikiServices::getInstance()->getUnblockUserFactory()
					->newUnblockUser( $name, $this->office(), 'test' )->unblockUnsafe() );
				break;
			case 'rename':
				$user = User::newFromName( $name );
				$renaming = new RenameuserSQL( $user->getName(), $this->getOption( 'to' ), $user->getId(), $this->office() );
				if ( !$renaming->rename() ) {
					$this->fatalError( "cannot rename $name" );
				}
				break;
			case 'delete':
				$page = MediaWikiServices::getInstance()->getWikiPageFactory()->newFromTitle( Title::newFromText( $name ) );
				$this->need( MediaWikiServices::getInstance()->getDeletePageFactory()
					->newDeletePage( $page, $this->office() )->deleteUnsafe( 'test' ) );
				break;
			case 'suppress':
				$this->suppress( Title::newFromText( $name ), (int)$this->getOption( 'to' ) );
				break;
			default:
				$this->fatalError( 'no such act' );
		}
	}

	private function office(): User {
		return User::newSystemUser( 'Test office', [ 'steal' => true ] );
	}

	private function need( StatusValue $status ): void {
		if ( !$status->isOK() ) {
			$this->fatalError( (string)$status );
		}
	}

	private function suppress( Title $title, int $revision ): void {
		$office = $this->office();
		MediaWikiServices::getInstance()->getUserGroupManager()->addUserToGroup( $office, 'suppress' );
		$context = new DerivativeContext( RequestContext::getMain() );
		$context->setUser( User::newFromId( $office->getId() ) );
		$context->setTitle( $title );
		$this->need( RevisionDeleter::createList( 'revision', $context, $title, [ $revision ] )->setVisibility( [
			'value' => [ MediaWiki\Revision\RevisionRecord::DELETED_TEXT => 1 ], 'comment' => 'test', 'perItemStatus' => false ] ) );
	}

	/** The password is the name with "-Pass!". */
	private function make( string $name ): void {
		$user = User::newFromName( $name );
		$this->need( MediaWikiServices::getInstance()->getAuthManager()->autoCreateUser( $user,
			MediaWiki\Auth\AuthManager::AUTOCREATE_SOURCE_MAINT, false ) );
		$user->changeAuthenticationData( [ 'username' => $user->getName(), 'password' => "$name-Pass!", 'retype' => "$name-Pass!" ] );
	}

	private function block( string $name, bool $isHidden ): void {
		$office = $this->office();
		MediaWikiServices::getInstance()->getUserGroupManager()->addUserToGroup( $office, 'suppress' );
		$this->need( MediaWikiServices::getInstance()->getBlockUserFactory()->newBlockUser( $name,
			User::newFromId( $office->getId() ), 'infinity', 'test', [ 'isHideUser' => $isHidden ] )->placeBlockUnsafe( true ) );
	}
}

$maintClass = Seed::class;
require_once RUN_MAINTENANCE_IF_MAIN;
